import { activityInfo } from "@temporalio/activity";
import { act, type Hands } from "#actors/orchestrator/scaler/act.ts";
import type { Acted, Action, ObservedContainer } from "#actors/orchestrator/scaler/messages.ts";
import { observe, replicasOf } from "#actors/orchestrator/scaler/observe.ts";
import type { Prober } from "#actors/orchestrator/scaler/prober.ts";
import { Scaler } from "#actors/orchestrator/scaler/scaler.ts";
import type { ServiceSpec } from "#actors/orchestrator/service/messages.ts";
import { Service } from "#actors/orchestrator/service/service.ts";
import { EngineError } from "#infra/engines/errors.ts";
import type { Troupe } from "#runtime";
import { asFailure } from "../as-failure.ts";
import type { OwnHost } from "../own-host.ts";
import type { ActOrder, HostView, RoundReport, World } from "./messages.ts";

/** The host of a process, with what checks its containers. */
export interface ProbedHost extends OwnHost {
  readonly prober: Prober;
}

/** What the activities work with. */
export interface ReconcileDeps {
  readonly troupe: Troupe;
  /** The host of this process; `undefined` until its engine has answered once. */
  readonly own: () => ProbedHost | undefined;
  /** Every host that has been heard of lately. */
  readonly hosts: () => Promise<readonly string[]>;
  readonly secret: Hands["secret"];
  readonly bindObjection: Hands["bindObjection"];
  /** Told how many seconds a round took, from its look at the world to its report. */
  readonly reconciled?: (seconds: number) => void;
}

/** A part of the world: what this process can see, and which hosts others have to look at. */
export type Survey = Omit<World, "slots" | "fence" | "hidden"> & { readonly elsewhere: readonly string[] };

/** The activities of `reconcileService`, to be registered with a worker of the task queue `orchestrator`. */
export function createReconcileActivities(deps: ReconcileDeps) {
  const { troupe, own } = deps;
  const service = (name: string) => troupe.ref(Service, name);
  const scaler = (name: string) => troupe.ref(Scaler, name);

  async function hostView(name: string): Promise<HostView | undefined> {
    const mine = own();
    if (!mine) return undefined;
    const checkOf = async (revision: string) => (await service(name).revision(revision))?.spec.health ?? null;
    return await observe(mine.host, mine.engine, mine.prober, name, checkOf).then(
      (containers) => ({ host: mine.host, containers, reason: null }),
      (error: unknown) => {
        if (!(error instanceof EngineError)) throw error;
        return { host: mine.host, containers: null, reason: error.message };
      },
    );
  }

  /** Services that are needed and have no replica that answers. */
  async function unready(names: readonly string[]): Promise<string[]> {
    const views = await Promise.all(names.map(async (name) => ({ name, view: await service(name).get() })));
    return views.flatMap(({ name, view }) => (view?.observed.some((one) => one.healthy) ? [] : [name]));
  }

  return {
    /** Reads what is desired, and what is on the host of this process. Changes nothing. */
    async survey(name: string): Promise<Survey> {
      const [desired, mine, known] = await Promise.all([
        asFailure(service(name).desired()),
        asFailure(hostView(name)),
        asFailure(deps.hosts()),
      ]);
      const seen = mine === undefined ? [] : [mine];
      const elsewhere = known.filter((host) => host !== mine?.host);
      const moved = desired.lookForImage ? await imageMoved(name, desired.revision) : undefined;
      if (moved !== undefined) await asFailure(service(name).imageSeen({ moved }));
      const waitsFor = await asFailure(unready(desired.dependsOn));
      return { desired, hosts: seen, waitsFor, nowMs: Date.now(), elsewhere };
    },

    /** What is on the host of this process. Asked over the host's own task queue. */
    async observeHost(name: string): Promise<HostView | null> {
      return (await asFailure(hostView(name))) ?? null;
    },

    /** Has the scaler remember what was seen. Gives the token to act with. */
    async noteLook(
      name: string,
      hosts: readonly HostView[],
      wanted: Record<string, number>,
    ): Promise<Pick<World, "slots" | "fence" | "hidden">> {
      const seen = hosts.map(({ host, containers }) => ({
        host,
        containers: containers as ObservedContainer[] | null,
      }));
      return await asFailure(scaler(name).look({ hosts: seen, wanted }, { id: messageId("look", seen) }));
    },

    /** Carries out actions on the host of this process. A later look stops it. */
    async actOnHost(name: string, order: ActOrder): Promise<Acted> {
      const mine = own();
      if (mine?.host !== order.host)
        return { failed: [], kept: [], unavailable: "this is another host", fenced: false };
      const out = order.actions.flatMap((action) => (action.kind === "drain" ? [action.containerId] : []));
      const back = order.actions.flatMap((action) => (action.kind === "undrain" ? [action.containerId] : []));
      if (out.length + back.length > 0) await asFailure(service(name).rotate({ out, back }));
      const expected = Object.fromEntries(order.actions.flatMap(endOf));
      if (Object.keys(expected).length > 0) {
        const begun = await scaler(name)
          .begin({ fence: order.fence, expected })
          .then(
            () => true,
            () => false,
          );
        if (!begun) return { failed: [], kept: [], unavailable: null, fenced: true };
      }
      const acted = await act(handsFor(name, mine, order), name, order.actions);
      if (acted.failed.length + acted.kept.length > 0) {
        const kept = acted.kept.map(({ containerId }) => containerId);
        const { fence, host } = order;
        await asFailure(
          scaler(name).settle({ fence, failed: [...acted.failed], kept }, { id: messageId(host, acted) }),
        );
      }
      return acted;
    },

    /** Tells the service what was seen. */
    async reportService(name: string, world: World, report: RoundReport): Promise<void> {
      const known = world.hosts.every(({ containers }) => containers !== null) && world.hosts.length > 0;
      const containers = world.hosts.flatMap((host) => host.containers ?? []);
      const observed = known ? replicasOf(containers, world.slots) : null;
      const full = { ...report, conditions: [...report.conditions], generation: world.desired.generation, observed };
      await asFailure(service(name).report(full, { id: messageId("report", full) }));
      deps.reconciled?.(Math.max(0, Date.now() - world.nowMs) / 1_000);
    },

    /** The update to a revision has failed. */
    async rollBack(name: string, revision: string, reason: string): Promise<void> {
      await asFailure(service(name).rollBack({ revision, reason }));
    },
  };

  function handsFor(name: string, { host, engine, images, room }: OwnHost, { fence, graceMs }: ActOrder): Hands {
    return {
      host,
      engine,
      images,
      room,
      fence,
      graceMs,
      secret: deps.secret,
      bindObjection: deps.bindObjection,
      async revision(revision) {
        const made = await service(name).revision(revision);
        return made && { spec: made.spec as ServiceSpec, imageId: made.images[host] ?? null };
      },
      fixImage: (revision, imageId) => service(name).fixImage({ revision, host, imageId }),
      holds: async () => (await scaler(name).fence()) === fence,
    };
  }

  /** Whether the tag of a revision's image leads elsewhere now. `undefined`: it cannot be told. */
  async function imageMoved(name: string, revision: string): Promise<boolean | undefined> {
    const mine = own();
    const made = await service(name).revision(revision);
    if (!mine || !made) return undefined;
    const now = await mine.engine.image(made.spec.image).catch(() => undefined);
    const then = made.images[mine.host];
    return now !== undefined && then !== undefined && now !== then;
  }
}

/** What the workflow knows of the activities. */
export type ReconcileActivities = ReturnType<typeof createReconcileActivities>;

function endOf(action: Action): [string, "removed" | "stopped" | "unhealthy"][] {
  if (action.kind === "remove") return [[action.containerId, "removed"]];
  if (action.kind === "stop") return [[action.containerId, "stopped"]];
  return action.kind === "restart" ? [[action.containerId, "unhealthy"]] : [];
}

/**
 * The message id of this activity's call. The input is part of it: a local activity that was not recorded before its
 * worker died runs again under the same activity id, but maybe with another plan.
 */
function messageId(step: string, input: unknown): string {
  const { activityId, workflowExecution } = activityInfo();
  const { workflowId, runId } = workflowExecution ?? { workflowId: "none", runId: "none" };
  return `${workflowId}/${runId}/${activityId}/${step}/${Bun.hash(JSON.stringify(input)).toString(36)}`;
}
