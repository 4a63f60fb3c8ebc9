import { FRESH_SLOT, STABLE_AFTER_MS } from "./backoff.ts";
import type { Desired, Observed, ObservedContainer, Slot } from "./messages.ts";

/** Where nothing is replaced, a container counts once it has run this long. */
export const READY_AFTER_MS = 500;
/** The first replica of a new revision has to prove itself for so long, the others for less. */
export const FIRST_PROOF_MS = 10_000;
export const NEXT_PROOF_MS = 1_000;

/** A slot and what fills it. */
export interface Placed {
  readonly revision: string;
  readonly replica: number;
  readonly container: ObservedContainer | null;
}

/** The containers of a service, by what they are to its desired state. */
export interface Outlook {
  /** How many slots are to be filled. */
  readonly wanted: number;
  /** How many containers run, whatever they are to it. */
  readonly running: number;
  /** Usable containers that fill a wanted slot; those of them that run, and those that have proved themselves. */
  readonly kept: readonly ObservedContainer[];
  readonly up: readonly ObservedContainer[];
  readonly ready: readonly ObservedContainer[];
  /** Of another revision. */
  readonly outdated: readonly ObservedContainer[];
  /** Those that ended and could be started again: not by their own fault, and their pause is over. */
  readonly revivable: readonly ObservedContainer[];
  /** Of this revision, beyond what is wanted, and free to go. */
  readonly excess: readonly ObservedContainer[];
  /** The same, while a wanted one is not ready. */
  readonly spared: readonly ObservedContainer[];
  /** How many more of those that do their work may go. */
  readonly free: number;
  /** Dead, paused, or cut off from its ports: to be made anew. */
  readonly unusable: readonly ObservedContainer[];
  /** Slots that could be started now. */
  readonly wants: readonly Placed[];
  /** When the pauses of the others end. */
  readonly waiting: readonly number[];
  /** Containers the engine is removing. */
  readonly leaving: number;
  /** When a running container will have proved itself. */
  readonly settlesInMs: readonly number[];
  /** When the newest of the ready containers of the desired revision was started; 0: none. */
  readonly progressAt: number;
}

/** Looks at what is there with the eyes of what is desired. */
export function outlook(desired: Desired, observed: Observed): Outlook {
  const { nowMs, slots } = observed;
  const sets = setsOf(desired);
  const filling = new Map<string, ObservedContainer>();
  const outdated: ObservedContainer[] = [];
  const beyond: ObservedContainer[] = [];
  const unusable: ObservedContainer[] = [];
  let leaving = 0;

  for (const c of observed.containers.filter((one) => one.service === desired.service).toSorted(bestFirst)) {
    const key = `${c.revision}/${c.replica}`;
    if (c.state === "removing") leaving++;
    else if (sets.get(c.revision) === undefined) {
      if (isBroken(c)) unusable.push(c);
      else if (desired.replicas === 0) beyond.push(c);
      else outdated.push(c);
    } else if (c.replica >= (sets.get(c.revision) ?? 0) || filling.has(key)) beyond.push(c);
    else if (isBroken(c)) unusable.push(c);
    else filling.set(key, c);
  }

  const kept = [...filling.values()];
  const proof = proofMs(desired, kept, outdated, nowMs);
  const settlesInMs: number[] = [];
  const ready = kept.filter((c) => {
    if (!works(c)) {
      if (c.state === "running" && c.health === "starting") settlesInMs.push(1_000);
      return false;
    }
    const slot: Slot = slots[`${c.revision}/${c.replica}`] ?? FRESH_SLOT;
    const needed = slot.failures > 0 ? Math.max(proof, STABLE_AFTER_MS) : proof;
    const left = needed - uptimeMs(c, nowMs);
    if (left > 0) settlesInMs.push(left);
    return left <= 0;
  });

  const wants: Placed[] = [];
  const waiting: number[] = [];
  for (const [revision, count] of sets) {
    for (let replica = 0; replica < count; replica++) {
      const container = filling.get(`${revision}/${replica}`) ?? null;
      if (container && (isUp(container) || container.stuck !== null) && container.health !== "unhealthy") continue;
      const { retryAt } = slots[`${revision}/${replica}`] ?? FRESH_SLOT;
      if (retryAt > nowMs) waiting.push(retryAt);
      else wants.push({ revision, replica, container });
    }
  }

  const wanted = [...sets.values()].reduce((sum, count) => sum + count, 0);
  const needed = Math.max(0, desired.replicas - slackOf(desired).maxUnavailable);
  // Those that do their work while wanted ones do not are spared until there are enough others.
  let free = ready.length + [...beyond, ...outdated].filter((c) => isReadyNow(desired, c)).length - needed;
  const excess: ObservedContainer[] = [];
  const spared: ObservedContainer[] = [];
  for (const c of beyond.toSorted((a, b) => b.replica - a.replica)) {
    if (!isReadyNow(desired, c)) excess.push(c);
    else if (free > 0) {
      free--;
      excess.push(c);
    } else spared.push(c);
  }

  return {
    wanted,
    running: observed.containers.filter((c) => c.service === desired.service && (isUp(c) || c.stuck !== null)).length,
    kept,
    up: kept.filter((c) => isUp(c) || c.stuck !== null),
    ready,
    outdated,
    revivable: outdated.filter((c) => {
      const slot = slots[`${c.revision}/${c.replica}`] ?? FRESH_SLOT;
      return !isUp(c) && c.stuck === null && slot.failures === 0 && slot.retryAt <= nowMs;
    }),
    excess,
    spared,
    free: Math.max(0, free),
    unusable,
    wants,
    waiting,
    leaving,
    settlesInMs,
    progressAt: Math.max(0, ...ready.filter((c) => c.revision === desired.revision).map((c) => startOf(c))),
  };
}

/** How many more may run, and how many may be missing, while containers are replaced. */
export function slackOf({ update, replicas }: Desired): { readonly maxSurge: number; readonly maxUnavailable: number } {
  const { order, maxSurge, maxUnavailable } = update;
  if (order === "stop-first") return { maxSurge: 0, maxUnavailable: Math.min(replicas, Math.max(1, maxUnavailable)) };
  return { maxSurge, maxUnavailable };
}

/** The wanted slots: how many of which revision. */
function setsOf({ revision, replicas, canary }: Desired): ReadonlyMap<string, number> {
  if (canary === null || replicas === 0) return new Map([[revision, replicas]]);
  return new Map([
    [canary.base, replicas],
    [revision, canary.replicas],
  ]);
}

function proofMs(
  desired: Desired,
  kept: readonly ObservedContainer[],
  outdated: readonly ObservedContainer[],
  nowMs: number,
): number {
  if (desired.update.minReadyMs !== null) return desired.update.minReadyMs;
  if (outdated.length === 0 && desired.canary === null) return READY_AFTER_MS;
  const proven = kept.some((c) => c.revision === desired.revision && works(c) && uptimeMs(c, nowMs) >= FIRST_PROOF_MS);
  return proven ? NEXT_PROOF_MS : FIRST_PROOF_MS;
}

/** Of two containers of one slot the one that does its work stays, then the one that runs, then the older. */
function bestFirst(a: ObservedContainer, b: ObservedContainer): number {
  const rank = (c: ObservedContainer): number => (isBroken(c) ? 3 : works(c) ? 0 : isUp(c) ? 1 : 2);
  return rank(a) - rank(b) || a.createdAt.localeCompare(b.createdAt) || a.id.localeCompare(b.id);
}

/** Nothing brings it back as it is. */
function isBroken(c: ObservedContainer): boolean {
  return c.state === "dead" || c.state === "paused" || c.state === "restarting" || c.differences.includes("ports");
}

export function isUp(c: ObservedContainer): boolean {
  return c.state === "running" || c.state === "restarting" || c.state === "paused";
}

/** Whether it runs and its check, where it has one, says that all is well. */
export function works(c: ObservedContainer): boolean {
  if (c.state !== "running" || c.stuck !== null || isBroken(c)) return false;
  return c.health === "none" || c.health === "healthy";
}

/** Whether it answers requests. */
export function isReadyNow(desired: Desired, c: ObservedContainer): boolean {
  return works(c) && desired.draining[c.id] === undefined;
}

export function uptimeMs(c: ObservedContainer, nowMs: number): number {
  return c.startedAt === null ? 0 : Math.max(0, nowMs - startOf(c));
}

function startOf(c: ObservedContainer): number {
  return c.startedAt === null ? 0 : Date.parse(c.startedAt);
}
