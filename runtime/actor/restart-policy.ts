import { durationMs, type Duration } from "../base/duration.ts";

/** How an actor whose handlers throw goes on. */
export interface RestartPolicy {
  /** The pause after the first throw, and the longest; it doubles with each throw in a row, spread by ±20 %. */
  readonly backoff: { readonly min: Duration; readonly max: Duration };
}

/** @throws {TypeError} when a pause is no duration, or the longest is shorter than the first. */
export function checkRestartPolicy(type: string, { backoff: { min, max } }: RestartPolicy): void {
  if (durationMs(min) > durationMs(max))
    throw new TypeError(`Cannot define the actor type "${type}": restart pauses begin with ${min} and end with ${max}`);
}
