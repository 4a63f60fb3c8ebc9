import type { ConditionFound, ServiceStatus } from "../service/messages.ts";
import { describe } from "./conditions.ts";
import type { Action, Desired, Observed, ObservedContainer } from "./messages.ts";
import { type Outlook, outlook, type Placed } from "./outlook.ts";
import { rollout } from "./rollout.ts";

/** What to do now, what to say about the service, and when to look again if nothing happens before. */
export interface Plan {
  readonly actions: readonly Action[];
  readonly status: ServiceStatus;
  readonly conditions: readonly ConditionFound[];
  /** The update has failed: the last good revision is to be put back. `null`: it has not. */
  readonly failure: string | null;
  readonly nextCheckMs: number;
}

/** Without an event the world is looked at this often. */
export const IDLE_CHECK_MS = 60_000;
/** Requests on their way to a container that was just taken out of the rotation have arrived after this. */
export const DRAIN_SETTLE_MS = 300;

/**
 * The steps from the observed to the desired state. Pure: the same input gives the same plan, so a workflow may call it.
 *
 * P1 Only containers of this service are looked at.
 * P2 Once nothing of another revision is left, the containers are exactly the slots `0..replicas-1`.
 * P3 At most `replicas + maxSurge` containers run (with a canary: its replicas more).
 * P4 A slot is not started before its pause is over.
 * P5 A ready container of another revision goes only while at least `replicas - maxUnavailable` others are ready;
 *    where it pins a port, only once its successor has been made.
 * P6 A container that gets requests is taken out of the rotation before it is stopped or removed.
 */
export function plan(desired: Desired, observed: Observed): Plan {
  const seen = outlook(desired, observed);
  const leaving: Action[] = [];
  const wakes: number[] = [...seen.settlesInMs];

  /** Plan.P6: a drain first, and the end once nobody is answered any more. */
  const end = (container: ObservedContainer, last: Action): void => {
    const out = desired.draining[container.id];
    if (!desired.routed || container.state !== "running" || container.stuck !== null) leaving.push(last);
    else if (out === undefined) leaving.push({ kind: "drain", ...placeOf(container) });
    else {
      const waited = observed.nowMs - out.since;
      if ((waited >= DRAIN_SETTLE_MS && out.open === 0) || waited >= desired.drainMs) leaving.push(last);
      else wakes.push(out.open === 0 ? DRAIN_SETTLE_MS - waited : Math.min(desired.drainMs - waited, 1_000));
    }
  };
  const remove = (container: ObservedContainer, reason: "excess" | "outdated" | "unusable"): void =>
    end(container, { kind: "remove", ...placeOf(container), reason });

  for (const container of seen.excess) remove(container, "excess");
  for (const container of seen.unusable) leaving.push({ kind: "remove", ...placeOf(container), reason: "unusable" });
  const steps = rollout(desired, seen);
  for (const container of steps.remove) remove(container, "outdated");
  for (const container of steps.stop) end(container, { kind: "stop", ...placeOf(container) });

  const staying: Action[] = [];
  for (const container of seen.kept) {
    if (desired.draining[container.id] !== undefined && !steps.stop.includes(container))
      staying.push({ kind: "undrain", ...placeOf(container) });
    if (container.differences.length > 0) staying.push({ kind: "mend", ...placeOf(container) });
  }
  const starting = startsOf(desired, observed, seen, steps.start, wakes);
  const actions = [...leaving, ...staying, ...starting];

  const conditions = describe(desired, observed, seen);
  const quiet = actions.length === 0 && wakes.length === 0 && seen.leaving === 0 && steps.done && !desired.canary;
  const converged = quiet && seen.ready.length === seen.wanted && !conditions.some((c) => c.severity === "trouble");
  const troubled = conditions.some((condition) => condition.severity === "trouble");
  return {
    actions,
    status: converged ? "converged" : troubled ? "degraded" : "progressing",
    conditions,
    failure: failureOf(desired, observed, seen, converged),
    nextCheckMs: Math.max(
      50,
      Math.min(IDLE_CHECK_MS, ...wakes, ...(seen.leaving > 0 || desired.waitsFor.length > 0 ? [1_000] : [])),
    ),
  };
}

/** The starts that may happen now: their pauses are over (Plan.P4), and what they wait for is there. */
function startsOf(
  desired: Desired,
  observed: Observed,
  seen: Outlook,
  starts: readonly (Placed & { readonly start: boolean })[],
  wakes: number[],
): Action[] {
  const actions: Action[] = [];
  const load = new Map(desired.hosts.map((host) => [host, 0]));
  for (const { host } of observed.containers) load.set(host, (load.get(host) ?? 0) + 1);
  for (const { revision, replica, container, start } of starts) {
    if (container !== null) {
      if (container.state === "running") actions.push({ kind: "restart", ...placeOf(container) });
      else if (start) actions.push({ kind: "start", ...placeOf(container) });
      continue;
    }
    if (desired.waitsFor.length > 0 && seen.up.length === 0) continue;
    const host = desired.hosts.toSorted((a, b) => (load.get(a) ?? 0) - (load.get(b) ?? 0))[0];
    if (host === undefined) continue;
    load.set(host, (load.get(host) ?? 0) + 1);
    actions.push({ kind: "create", host, revision, replica, start });
  }
  for (const retryAt of seen.waiting) wakes.push(retryAt - observed.nowMs);
  return actions;
}

/** Why the update to the desired revision is to be taken back. */
function failureOf(desired: Desired, observed: Observed, seen: Outlook, converged: boolean): string | null {
  const { good, revision, update } = desired;
  if (good === null || good === revision || converged || desired.paused || desired.replicas === 0) return null;
  const slots = Object.entries(observed.slots).filter(([key]) => key.startsWith(`${revision}/`));
  const failures = slots.reduce((sum, [, slot]) => sum + slot.failures, 0);
  if (failures >= update.maxFailures) {
    const why = slots.map(([, slot]) => slot.error?.message).find((message) => message !== undefined);
    return `it failed ${failures} times${why ? `: ${why}` : ""}`;
  }
  // With a canary the update waits for its operator, not for its replicas.
  const stalled = observed.nowMs - Math.max(desired.since, seen.progressAt) >= update.deadlineMs;
  if (stalled && seen.ready.length < seen.wanted) return `it was not ready within ${update.deadlineMs / 1_000} s`;
  return null;
}

function placeOf({ host, id: containerId, revision, replica }: ObservedContainer) {
  return { host, containerId, revision, replica };
}
