import { backoffMs } from "../base/backoff.ts";
import { durationMs, type Duration } from "../base/duration.ts";
import type { Randomness } from "../base/randomness.ts";

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

/** Counts the throws of one actor in a row, and says until when the messages that nobody waits for are held back. */
export class RestartBackoff {
  readonly #minMs: number;
  readonly #maxMs: number;
  #throws = 0;
  #version = -1;
  #until = 0;

  readonly #randomness: Randomness;

  constructor({ backoff }: RestartPolicy, randomness: Randomness) {
    this.#randomness = randomness;
    this.#minMs = durationMs(backoff.min);
    this.#maxMs = durationMs(backoff.max);
  }

  /** A handler threw. `version` counts the turns that ended well: one more since the last throw ends the row. */
  threw(version: number, now: number): void {
    this.#throws = version === this.#version ? this.#throws + 1 : 1;
    this.#version = version;
    this.#until = now + backoffMs(this.#throws, this.#randomness, this.#minMs, this.#maxMs);
  }

  /** Milliseconds to wait from now; 0 or less: none. */
  remainingMs(version: number, now: number): number {
    return version === this.#version ? this.#until - now : 0;
  }
}
