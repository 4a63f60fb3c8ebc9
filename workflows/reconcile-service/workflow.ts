import {
  condition,
  defineQuery,
  defineSignal,
  isCancellation,
  log,
  makeContinueAsNewFunc,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
  workflowInfo,
} from "@temporalio/workflow";
import type { ObservedContainer } from "#actors/orchestrator/scaler/messages.ts";
import { IDLE_CHECK_MS, type Plan, plan } from "#actors/orchestrator/scaler/plan.ts";
import type { ConditionFound } from "#actors/orchestrator/service/messages.ts";
import type { ReconcileActivities } from "./activities.ts";
import { labelOf, LAST_DECISION_QUERY, WAKE_SIGNAL } from "./messages.ts";
import type { Acted, Decision, HiddenContainer, HostView, ReconcileServiceInput, Survey, World } from "./messages.ts";

/** Short calls in the worker's own process: a killed container is back before a task queue would have been asked. */
const { survey, noteLook, reportService, rollBack } = proxyLocalActivities<ReconcileActivities>({
  startToCloseTimeout: "60s",
  retry: { initialInterval: "200ms", backoffCoefficient: 2, maximumInterval: "2s", maximumAttempts: 4 },
});
const { actOnHost } = proxyLocalActivities<ReconcileActivities>({
  startToCloseTimeout: "5m",
  retry: { maximumAttempts: 2 },
});

/** What a killed process had in its hands is missed after so long: its worker gives a sign of life every second or two. */
const MISSED_AFTER = "10s";
/** Several processes may drive a host: where one was killed while it looked, another one can be asked. */
const LOOKS = { startToCloseTimeout: "60s", retry: { initialInterval: "200ms", maximumAttempts: 2 } } as const;
/** Where one was killed while it acted, the world is looked at anew first. */
const ACTS = { startToCloseTimeout: "5m", retry: { maximumAttempts: 1 } } as const;

/** After a round that could not be completed (no engine, no store) the loop waits this long. */
const TROUBLE_PAUSE_MS = 5_000;
const MAX_ROUNDS = 200;
/** Rounds in a row that act without waiting; more would be two parties undoing each other's work. */
const MAX_BUSY_ROUNDS = 20;
const BUSY_PAUSE_MS = 1_000;
/** Whom a container serves when it is stopped may take so long beyond the grace of the stop. */
const DRAIN_BEYOND_GRACE_MS = 20_000;

const wakeSignal = defineSignal(WAKE_SIGNAL);
const lastDecisionQuery = defineQuery<Decision>(LAST_DECISION_QUERY);

/**
 * Keeps the containers of one service at their desired state, until the service is removed and its last container is
 * gone. One run per service (the workflow id) is the lock.
 *
 * Each round looks at every host anew, plans, acts and reports. Then the loop waits: for a wake-up (the desired state or
 * a container changed), for the time the plan asks for, or a minute.
 *
 * Once another key seals than at its first look, the run continues as new: its history holds nothing of the old key then,
 * which can go.
 */
export async function reconcileService(input: ReconcileServiceInput): Promise<void> {
  let awake = false;
  let reported = "";
  let troubles: readonly ConditionFound[] = [];
  let sealing: string | undefined;
  let resealed = false;
  let decision: Decision = { round: 0, status: "progressing", actions: [] };
  setHandler(wakeSignal, () => void (awake = true));
  setHandler(lastDecisionQuery, () => decision);

  for (let round = 1, busy = 0; ; round++) {
    awake = false;
    let waitMs = TROUBLE_PAUSE_MS;
    try {
      const { world, own } = await look(input.name);
      resealed = sealing !== undefined && world.sealing !== sealing;
      sealing ??= world.sealing;
      const next = planFor(input.name, world);
      if (next.failure !== null) {
        await rollBack(input.name, world.desired.revision, next.failure);
        continue;
      }
      decision = { round, status: next.status, actions: next.actions.map((action) => labelOf(input.name, action)) };
      const conditions = [...next.conditions, ...troubles];
      const status = next.status === "converged" && troubles.length > 0 ? "degraded" : next.status;
      const news = JSON.stringify([world.desired.generation, status, conditions, world.hosts]);
      const [acted] = await Promise.all([
        actOn(input.name, world, next, own),
        news === reported ? undefined : reportService(input.name, world, { status, conditions }),
      ]);
      reported = news;
      troubles = acted.flatMap(({ kept }) => kept.map(keptCondition));
      const containers = world.hosts.flatMap((host) => host.containers ?? []);
      const asked = world.hosts.every((host) => host.containers !== null);
      if (world.desired.removed && asked && containers.length === 0 && !awake) return;
      const unavailable = acted.some((one) => one.unavailable !== null);
      const all = acted.flatMap((one) => [...one.failed, ...one.kept]).length;
      const did = next.actions.length > 0 && !unavailable && all < next.actions.length;
      busy = did ? busy + 1 : 0;
      if ((asked || next.actions.length > 0) && !unavailable)
        waitMs = did ? 0 : next.actions.length > 0 ? BUSY_PAUSE_MS : Math.min(next.nextCheckMs, IDLE_CHECK_MS);
      if (busy > MAX_BUSY_ROUNDS) waitMs = Math.max(waitMs, BUSY_PAUSE_MS);
    } catch (error) {
      if (isCancellation(error)) throw error;
      // A store or node that is away: said in the log, tried again. The loop itself never ends for it.
      log.warn("reconcile:round:failed", { service: input.name, error: String(error) });
      reported = "";
    }
    if (resealed || round >= MAX_ROUNDS || workflowInfo().continueAsNewSuggested) await beginAnew(input);
    if (waitMs > 0) await condition(() => awake, waitMs);
  }
}

/** The memo is given anew: carried over as it is, it would be sealed by the key of the first run for ever. */
async function beginAnew(input: ReconcileServiceInput): Promise<never> {
  const { memo } = workflowInfo();
  return await makeContinueAsNewFunc<typeof reconcileService>(memo === undefined ? {} : { memo })(input);
}

/** Looks at every host: this worker's own at once, the others over their task queues. */
async function look(name: string): Promise<{ readonly world: World; readonly own: string | undefined }> {
  const { elsewhere, ...seen }: Survey = await survey(name);
  const own = seen.hosts[0]?.host;
  const others = await Promise.all(elsewhere.map((host) => observeOn(name, host)));
  const hosts = [...seen.hosts, ...others].sort((a, b) => (a.host < b.host ? -1 : 1));
  const { desired } = seen;
  const wanted: Record<string, number> = { [desired.revision]: desired.canary?.replicas ?? desired.replicas };
  if (desired.canary !== null) wanted[desired.canary.base] = desired.replicas;
  const noted = await noteLook(name, hosts, wanted);
  return { world: { ...seen, ...noted, hosts }, own };
}

async function observeOn(name: string, host: string): Promise<HostView> {
  try {
    const view = await remote(host, LOOKS).observeHost(name);
    return view ?? { host, containers: null, reason: `${host} has not answered yet` };
  } catch (error) {
    if (isCancellation(error)) throw error;
    return { host, containers: null, reason: `${host} does not answer` };
  }
}

/**
 * The activities of another host's process. One that is not there is not waited for; nor is one that was killed with an activity
 * in its hands, which nobody else would end.
 */
function remote(host: string, often: typeof LOOKS | typeof ACTS) {
  return proxyActivities<Pick<ReconcileActivities, "observeHost" | "actOnHost">>({
    taskQueue: `${workflowInfo().taskQueue}.${host}`,
    scheduleToStartTimeout: "5s",
    heartbeatTimeout: MISSED_AFTER,
    ...often,
  });
}

/** Carries the plan out, each host its part. */
async function actOn(name: string, world: World, next: Plan, own: string | undefined): Promise<readonly Acted[]> {
  const { fence, desired } = world;
  const hosts = [...new Set(next.actions.map((action) => action.host))];
  return await Promise.all(
    hosts.map(async (host) => {
      const actions = next.actions.filter((action) => action.host === host);
      const order = { host, fence, graceMs: desired.graceMs, actions };
      if (host === own) return await actOnHost(name, order);
      try {
        return await remote(host, ACTS).actOnHost(name, order);
      } catch (error) {
        if (isCancellation(error)) throw error;
        return { failed: [], kept: [], unavailable: `${host} does not answer`, fenced: false };
      }
    }),
  );
}

/**
 * The plan for what was seen. The containers of a host that could not be asked are taken to be there, and left alone: the
 * others go on, and there is never more than was asked for. Where no host could be asked there is only the honest word.
 */
function planFor(service: string, world: World): Plan {
  const { desired, hosts, slots, nowMs, waitsFor } = world;
  const silent = hosts.filter((host) => host.containers === null);
  const answering = hosts.filter((host) => host.containers !== null).map(({ host }) => host);
  const unavailable = silent.map(({ host, reason }) => ({
    type: "docker_unavailable" as const,
    severity: "trouble" as const,
    reason: "no_answer",
    message: reason ?? `${host} does not answer`,
  }));
  if (silent.length > 0 && answering.length === 0)
    return { actions: [], status: "degraded", conditions: unavailable, failure: null, nextCheckMs: TROUBLE_PAUSE_MS };
  const { graceMs, ...rest } = desired;
  const containers = [
    ...hosts.flatMap((host) => host.containers ?? []),
    ...world.hidden.map((one) => unseen(service, one)),
  ];
  const made = plan(
    { ...rest, service, waitsFor, hosts: answering, drainMs: graceMs + DRAIN_BEYOND_GRACE_MS },
    { containers, slots, nowMs },
  );
  if (silent.length === 0) return made;
  return {
    ...made,
    actions: made.actions.filter(({ host }) => answering.includes(host)),
    conditions: [...unavailable, ...made.conditions.filter(({ type }) => type !== "container_stuck")],
    status: "degraded",
    nextCheckMs: Math.min(made.nextCheckMs, TROUBLE_PAUSE_MS),
  };
}

/** What stands for a container that cannot be seen: it keeps its place, and nothing is done to it. */
function unseen(service: string, { host, containerId, revision, replica, run }: HiddenContainer): ObservedContainer {
  return {
    id: containerId,
    host,
    service,
    revision,
    replica,
    image: "",
    imageId: "",
    state: "running",
    createdAt: run ?? "",
    startedAt: run,
    finishedAt: null,
    exitCode: 0,
    oomKilled: false,
    ports: [],
    health: "none",
    differences: [],
    stuck: "its host does not answer",
    fence: 0,
  };
}

function keptCondition({ containerId, why }: Acted["kept"][number]): ConditionFound {
  const message = `Container ${containerId.slice(0, 12)} cannot be ended: ${why}`;
  return { type: "remove_failed", severity: "trouble", reason: "refused", message };
}
