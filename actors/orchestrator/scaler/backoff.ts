import type { ObservedContainer, Slot } from "./messages.ts";

/** A run at least this long is a good one: its end starts no pause. */
export const STABLE_AFTER_MS = 10_000;
/** Killed from outside after a run shorter than this, a container counts as failing, but with one try more. */
const KILLED_EARLY_MS = 1_000;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

/** The slot nobody has used yet. */
export const FRESH_SLOT: Slot = { restarts: 0, streak: 0, retryAt: 0, diedAt: null, error: null };

/** The pause after `streak` failures in a row: 0, 1, 2, 4, 8, 16, then 30 s. */
export function backoffMs(streak: number): number {
  return streak <= 0 ? 0 : Math.min(FIRST_PAUSE_MS * 2 ** (streak - 1), LONGEST_PAUSE_MS);
}

/**
 * The slot after a death of its container. After a good run, or when it was killed from outside, it may start at once;
 * a short run that ended by itself (or by the memory limit) waits longer each time.
 */
export function afterDeath(slot: Slot, container: ObservedContainer, nowMs: number): Slot {
  const { startedAt, finishedAt, exitCode, oomKilled } = container;
  const ranMs = startedAt && finishedAt ? Date.parse(finishedAt) - Date.parse(startedAt) : 0;
  // 128 + SIGKILL, 128 + SIGTERM
  const killed = (exitCode === 137 || exitCode === 143) && !oomKilled;
  const good = ranMs >= STABLE_AFTER_MS || (killed && ranMs >= KILLED_EARLY_MS);
  const streak = good ? 0 : slot.streak + 1;
  return { ...slot, streak, retryAt: nowMs + backoffMs(killed ? streak - 1 : streak), diedAt: finishedAt };
}

/** The slot after a start that failed. */
export function afterFailedStart(slot: Slot, error: string, nowMs: number): Slot {
  const streak = slot.streak + 1;
  return { ...slot, streak, retryAt: nowMs + backoffMs(streak), error };
}
