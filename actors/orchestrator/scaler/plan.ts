import type { Condition, ServiceStatus } from "../service/messages.ts";
import { afterDeath, FRESH_SLOT, STABLE_AFTER_MS } from "./backoff.ts";
import type { Action, Desired, ObservedContainer, Slot, Slots, Want } from "./messages.ts";
import { rollout } from "./rollout.ts";

/** What is there, at `nowMs`. */
export interface Observed {
  readonly containers: readonly ObservedContainer[];
  readonly slots: Slots;
  readonly nowMs: number;
}

/** What to do now, what to say about the service, and when to look again if nothing happens before. */
export interface Plan {
  readonly actions: readonly Action[];
  readonly status: ServiceStatus;
  readonly conditions: readonly Condition[];
  readonly nextCheckMs: number;
}

/** Without an event the world is looked at this often. */
export const IDLE_CHECK_MS = 15_000;
/** A new container is trusted once it has run this long: an old one may go for it. */
export const READY_AFTER_MS = 500;
/** A container in one of these states is removed and made anew. */
const UNUSABLE: ReadonlySet<ObservedContainer["state"]> = new Set(["dead", "paused"]);

/**
 * The steps from the observed to the desired state. Pure: the same input gives the same plan, so a workflow may call it.
 *
 * P1 Only containers of this service are looked at. P2 Once nothing of another revision is left, the containers are
 * exactly the slots `0..replicas-1`. P3 While a revision is replaced (`start-first`) at most `replicas + 1` containers
 * run, and at least `replicas` where that many ran before. P4 A slot is not started before its pause is over.
 * P5 A container that died is recorded once.
 */
export function plan(desired: Desired, observed: Observed): Plan {
  const actions: Action[] = [];
  const slots: Slots = { ...observed.slots };
  const current = new Map<number, ObservedContainer>();
  const outdated: ObservedContainer[] = [];
  let leaving = 0;

  for (const container of observed.containers) {
    if (container.service !== desired.service) continue; // P1
    if (container.state === "removing") leaving++;
    const wanted = container.revision === desired.revision && container.replica < desired.replicas;
    const usable = !UNUSABLE.has(container.state);
    if (wanted && usable && !current.has(container.replica)) {
      current.set(container.replica, container);
    } else if (container.state === "removing") {
      continue;
    } else if (container.revision !== desired.revision && isUp(container) && desired.replicas > 0) {
      outdated.push(container);
    } else {
      actions.push(
        remove(
          container,
          wanted && !usable ? "unusable" : container.revision === desired.revision ? "excess" : "outdated",
        ),
      );
    }
  }

  const wants = recordDeaths(desired, observed, current, slots, actions);
  const ready = [...current.values()].filter((c) => isUp(c) && uptimeMs(c, observed.nowMs) >= READY_AFTER_MS).length;
  const up = [...current.values()].filter(isUp).length;
  const steps = rollout({ desired, outdated, up, ready, wants: wants.now, waiting: wants.later.length });
  actions.push(...steps.remove.map((container) => remove(container, "outdated")), ...steps.start);

  const settling = [...current.values()]
    .map((c) => settlesInMs(c, slots[key(desired, c.replica)], observed.nowMs))
    .filter((ms) => ms > 0);
  const conditions = describe(desired, outdated.length, slots, (replica) => {
    const container = current.get(replica);
    return container !== undefined && isUp(container) && uptimeMs(container, observed.nowMs) >= STABLE_AFTER_MS;
  });
  const settled = actions.length === 0 && wants.later.length === 0 && outdated.length === 0 && leaving === 0;
  const converged = settled && up === desired.replicas && settling.length === 0 && conditions.length === 0;
  const troubled = conditions.some((condition) => condition.type !== "rolling_out");
  return {
    actions,
    status: converged ? "converged" : troubled ? "degraded" : "progressing",
    conditions,
    nextCheckMs: Math.max(50, Math.min(IDLE_CHECK_MS, ...wants.later, ...settling, ...(leaving > 0 ? [1_000] : []))),
  };
}

/** Records new deaths, and finds which slots want a start: now, or (in milliseconds) later. */
function recordDeaths(
  desired: Desired,
  observed: Observed,
  current: ReadonlyMap<number, ObservedContainer>,
  slots: Slots,
  actions: Action[],
) {
  const now: Want[] = [];
  const later: number[] = [];
  for (let replica = 0; replica < desired.replicas; replica++) {
    const container = current.get(replica);
    if (container && (isUp(container) || container.state === "removing")) continue;
    let slot = slots[key(desired, replica)] ?? FRESH_SLOT;
    if (container?.state === "exited" && container.finishedAt && container.finishedAt !== slot.diedAt) {
      slot = afterDeath(slot, container, observed.nowMs);
      slots[key(desired, replica)] = slot;
      const { id: containerId, exitCode, oomKilled, finishedAt: at } = container;
      actions.push({ kind: "record-death", containerId, replica, exitCode, oomKilled, at, slot }); // P5
    }
    if (slot.retryAt > observed.nowMs) later.push(slot.retryAt - observed.nowMs); // P4
    else if (!container) now.push({ kind: "create", replica });
    else now.push({ kind: "start", containerId: container.id, replica, restart: container.state === "exited" });
  }
  return { now, later };
}

/** How long until a running container is believed; 0 when it is. One that was killed from outside is believed at once. */
function settlesInMs(container: ObservedContainer, slot: Slot | undefined, nowMs: number): number {
  if (!isUp(container)) return 0;
  const trustAfterMs = slot && slot.streak > 0 ? STABLE_AFTER_MS : slot && slot.restarts > 0 ? 0 : READY_AFTER_MS;
  return Math.max(0, trustAfterMs - uptimeMs(container, nowMs));
}

function describe(desired: Desired, outdated: number, slots: Slots, stable: (replica: number) => boolean): Condition[] {
  const conditions: Condition[] = [];
  if (outdated > 0)
    conditions.push({ type: "rolling_out", message: `${outdated} containers of an earlier revision still run` });
  for (let replica = 0; replica < desired.replicas; replica++) {
    const slot = slots[key(desired, replica)];
    if (slot?.error)
      conditions.push({ type: "start_failed", message: `replica ${replica} does not start: ${slot.error}` });
    else if (slot && slot.streak >= 2 && !stable(replica)) {
      conditions.push({
        type: "crash_looping",
        message: `replica ${replica} ended ${slot.streak} times soon after its start`,
      });
    }
  }
  return conditions;
}

/** Whether a container counts as one that runs. */
function isUp(container: ObservedContainer): boolean {
  return container.state === "running" || container.state === "restarting";
}

function uptimeMs(container: ObservedContainer, nowMs: number): number {
  return container.startedAt === null ? 0 : nowMs - Date.parse(container.startedAt);
}

function remove(container: ObservedContainer, reason: "excess" | "outdated" | "unusable"): Action {
  const { id: containerId, revision, replica } = container;
  return { kind: "remove", containerId, revision, replica, running: isUp(container), reason };
}

/** The slot's key; `slotKey` is repeated here so that the plan imports nothing that runs. */
function key(desired: Desired, replica: number): string {
  return `${desired.revision}/${replica}`;
}
