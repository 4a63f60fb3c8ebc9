import type { Slot } from "./messages.ts";

/** After so long a run the past is forgotten. */
export const GOOD_AFTER_MS = 10 * 60_000;
/** An end sooner than this after the start was no good run. */
export const STABLE_AFTER_MS = 10_000;
/** Killed from outside after a run shorter than this, a container counts as failing. */
const KILLED_EARLY_MS = 1_000;
/** Ends by a kill that are made good at once. */
const FREE_KILLS = 3;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

/** The slot nobody has used yet. */
export const FRESH_SLOT: Slot = { restarts: 0, streak: 0, failures: 0, retryAt: 0, ranMs: 0, error: null };

/** How a run ended. */
export interface End {
  readonly ranMs: number;
  /** `null`: nobody saw it. */
  readonly exitCode: number | null;
  readonly oomKilled: boolean;
  /** It was stopped because its check failed. */
  readonly unhealthy?: boolean;
}

/** The pause after the `n`th failure in a row: 0, 1, 2, 4, 8, 16, then 30 s. */
export function backoffMs(n: number): number {
  return n <= 0 ? 0 : Math.min(FIRST_PAUSE_MS * 2 ** (n - 1), LONGEST_PAUSE_MS);
}

/**
 * The slot after its container ended. Every end counts until one run was good for 10 minutes. After a long run the first
 * end is made good at once; a container that was killed from outside is started at once three times.
 */
export function afterEnd(slot: Slot, end: End, nowMs: number): Slot {
  const before = end.ranMs >= GOOD_AFTER_MS ? { ...slot, streak: 0, failures: 0 } : slot;
  const streak = before.streak + 1;
  // 128 + SIGKILL, 128 + SIGTERM
  const fromOutside = end.exitCode === null || end.exitCode === 137 || end.exitCode === 143;
  const killed = fromOutside && !end.oomKilled && !end.unhealthy && end.ranMs >= KILLED_EARLY_MS;
  const free = killed ? FREE_KILLS : end.ranMs >= STABLE_AFTER_MS ? 1 : 0;
  const why = end.unhealthy
    ? "its check failed"
    : end.oomKilled
      ? "it ran out of memory"
      : `it ended with ${end.exitCode}`;
  return {
    ...before,
    restarts: slot.restarts + 1,
    streak,
    failures: before.failures + (killed ? 0 : 1),
    retryAt: nowMs + backoffMs(streak - free),
    ranMs: end.ranMs,
    error: killed ? null : { code: end.unhealthy ? "unhealthy" : end.oomKilled ? "oom" : "exited", message: why },
  };
}

/** The slot after a start that failed. */
export function afterFailedStart(slot: Slot, error: { code: string; message: string }, nowMs: number): Slot {
  const streak = slot.streak + 1;
  return { ...slot, streak, failures: slot.failures + 1, retryAt: nowMs + backoffMs(streak), ranMs: 0, error };
}
