import {
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  isCancellation,
  log,
  proxyLocalActivities,
  setHandler,
  workflowInfo,
} from "@temporalio/workflow";
import { IDLE_CHECK_MS, plan } from "#actors/orchestrator/scaler/plan.ts";
import type { Plan } from "#actors/orchestrator/scaler/plan.ts";
import type { ReconcileActivities, World } from "./activities.ts";
import { LAST_DECISION_QUERY, WAKE_SIGNAL } from "./messages.ts";
import type { Decision, ReconcileServiceInput } from "./messages.ts";

/** Short calls in the worker's own process: a killed container is back before a task queue would have been asked. */
const { observeService, applyActions, reportService } = proxyLocalActivities<ReconcileActivities>({
  startToCloseTimeout: "60s",
  retry: { initialInterval: "200ms", backoffCoefficient: 2, maximumInterval: "2s", maximumAttempts: 4 },
});

/** After a round that could not be completed (no engine, no store) the loop waits this long. */
const TROUBLE_PAUSE_MS = 5_000;
const MAX_ROUNDS = 200;
/** Rounds in a row that act without waiting; more would be two parties undoing each other's work. */
const MAX_BUSY_ROUNDS = 20;
const BUSY_PAUSE_MS = 1_000;

const wakeSignal = defineSignal(WAKE_SIGNAL);
const lastDecisionQuery = defineQuery<Decision>(LAST_DECISION_QUERY);

/**
 * Keeps the containers of one service at their desired state, until the service is removed and its last container is
 * gone. One run per service (the workflow id) is the lock.
 *
 * Each round reads the world anew, plans, acts and reports. Then the loop waits: for a wake-up (the desired state or
 * a container changed), for the time the plan asks for, or 15 s.
 */
export async function reconcileService(input: ReconcileServiceInput): Promise<void> {
  let awake = false;
  let reported = "";
  let decision: Decision = { round: 0, status: "progressing", actions: [] };
  setHandler(wakeSignal, () => void (awake = true));
  setHandler(lastDecisionQuery, () => decision);

  for (let round = 1, busy = 0; ; round++) {
    awake = false;
    let waitMs = TROUBLE_PAUSE_MS;
    try {
      const world = await observeService(input.name);
      const next = planFor(input.name, world);
      decision = { round, status: next.status, actions: next.actions.map(labelOf) };
      const news = JSON.stringify([world.desired.generation, next.status, next.conditions, world.containers]);
      const [applied] = await Promise.all([
        next.actions.length > 0 ? applyActions(input.name, applicationOf(world, next)) : undefined,
        news === reported
          ? undefined
          : reportService(input.name, world, { status: next.status, conditions: [...next.conditions] }),
      ]);
      reported = news;
      if (world.desired.removed && world.containers?.length === 0 && !awake) return;
      const acted = applied !== undefined && applied.unavailable === null;
      busy = acted ? busy + 1 : 0;
      if (world.containers !== null && applied?.unavailable == null) waitMs = acted ? 0 : next.nextCheckMs;
      if (busy > MAX_BUSY_ROUNDS) waitMs = BUSY_PAUSE_MS;
    } catch (error) {
      if (isCancellation(error)) throw error;
      // A store or node that is away: said in the log, tried again. The loop itself never ends for it.
      log.warn("reconcile:round:failed", { service: input.name, error: String(error) });
      reported = "";
    }
    if (round >= MAX_ROUNDS || workflowInfo().continueAsNewSuggested)
      await continueAsNew<typeof reconcileService>(input);
    if (waitMs > 0) await condition(() => awake, waitMs);
  }
}

/** The plan for what was seen; where the engine could not be asked, none but the honest word about it. */
function planFor(service: string, world: World): Plan {
  const { desired, containers, slots, nowMs } = world;
  if (containers === null) {
    const message = world.reason ?? "the engine does not answer";
    return {
      actions: [],
      status: "degraded",
      conditions: [{ type: "docker_unavailable", message }],
      nextCheckMs: IDLE_CHECK_MS,
    };
  }
  const pinned = desired.spec?.ports.some((port) => port.host !== null) ?? false;
  return plan(
    { service, revision: desired.revision, replicas: desired.replicas, order: pinned ? "stop-first" : "start-first" },
    { containers, slots, nowMs },
  );
}

function applicationOf(world: World, next: Plan): Parameters<ReconcileActivities["applyActions"]>[1] {
  return {
    revision: world.desired.revision,
    spec: world.desired.removed ? null : world.desired.spec,
    actions: [...next.actions],
  };
}

function labelOf(action: Plan["actions"][number]): string {
  return action.kind === "create"
    ? `create ${action.replica}`
    : `${action.kind} ${action.replica} ${action.containerId.slice(0, 12)}`;
}
