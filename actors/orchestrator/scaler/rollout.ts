import type { Desired, ObservedContainer, Want } from "./messages.ts";

/** Extra containers that may run while a revision is replaced. */
export const MAX_SURGE = 1;

/** What {@link rollout} decides on. */
export interface RolloutInput {
  readonly desired: Desired;
  /** Running containers of other revisions. */
  readonly outdated: readonly ObservedContainer[];
  /** Running containers of the desired revision, and how many of them have proved themselves. */
  readonly up: number;
  readonly ready: number;
  /** Starts that could happen now. */
  readonly wants: readonly Want[];
  /** Starts that wait for a pause to end. They keep their place: the next slot fares no better. */
  readonly waiting: number;
}

/**
 * The next step from one revision to another. Removals are carried out before starts.
 *
 * `start-first`: an old container goes once a new one has proved itself, and at most `replicas + 1` run; a new revision
 * that does not stay up leaves the old one serving. `stop-first`: all old containers go, then the new ones start.
 */
export function rollout(input: RolloutInput): { remove: readonly ObservedContainer[]; start: readonly Want[] } {
  const { desired, outdated, up, ready, wants, waiting } = input;
  if (outdated.length === 0 || desired.order === "stop-first") return { remove: outdated, start: wants };

  const surplus = Math.min(Math.max(ready + outdated.length - desired.replicas, 0), outdated.length);
  const remove = outdated.toSorted((a, b) => b.replica - a.replica).slice(0, surplus);
  const room = desired.replicas + MAX_SURGE - (up + waiting + outdated.length - surplus);
  return { remove, start: wants.slice(0, Math.max(room, 0)) };
}
