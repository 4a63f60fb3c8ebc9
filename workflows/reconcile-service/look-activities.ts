import type { ObservedContainer } from "#actors/orchestrator/scaler/messages.ts";
import { observe } from "#actors/orchestrator/scaler/observe.ts";
import { Scaler } from "#actors/orchestrator/scaler/scaler.ts";
import { Service } from "#actors/orchestrator/service/service.ts";
import { EngineError } from "#infra/engines/errors.ts";
import { asFailure } from "../as-failure.ts";
import { messageId } from "./message-id.ts";
import type { HostView, Survey, World } from "./messages.ts";
import type { ReconcileDeps } from "./needs-of-activities.ts";

/** The activities of a round that look. */
export function createLookingActivities(deps: ReconcileDeps) {
  const { troupe, own } = deps;
  const service = (name: string) => troupe.ref(Service, name);

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
      const { sealing } = deps;
      return {
        desired,
        hosts: seen,
        waitsFor,
        nowMs: Date.now(),
        elsewhere,
        ...(sealing !== undefined && { sealing }),
      };
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
      return await asFailure(troupe.ref(Scaler, name).look({ hosts: seen, wanted }, { id: messageId("look", seen) }));
    },
  };

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
