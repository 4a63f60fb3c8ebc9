import type { AnyMessageDefinition } from "../actor/any-actor.ts";
import type { RestartPolicy } from "../actor/restart-policy.ts";
import { backoffMs } from "../base/backoff.ts";
import type { Clock } from "../base/clock.ts";
import { durationMs } from "../base/duration.ts";
import type { Randomness } from "../base/randomness.ts";
import type { Delivery } from "../message/delivery.ts";

/** Holds back the messages of one actor that nobody waits for, while the pause after a throw lasts; then they come again. */
export class HoldBack {
  readonly #backoff: RestartBackoff;
  readonly #clock: Clock;
  readonly #max: number;
  readonly #again: (delivery: Delivery, definition: AnyMessageDefinition) => void;
  #held = 0;

  /** @param max messages held at once; beyond it they go to the actor in spite of the pause. */
  constructor(
    backoff: RestartBackoff,
    clock: Clock,
    max: number,
    again: (delivery: Delivery, definition: AnyMessageDefinition) => void,
  ) {
    this.#backoff = backoff;
    this.#clock = clock;
    this.#max = max;
    this.#again = again;
  }

  get empty(): boolean {
    return this.#held === 0;
  }

  /** A handler threw at this version of the actor. */
  threw(version: number): void {
    this.#backoff.threw(version, this.#clock.monotonic());
  }

  /** Holds a message back, if it has to be. Returns whether it does. */
  takes(delivery: Delivery, definition: AnyMessageDefinition, version: number): boolean {
    const { kind } = delivery.envelope.origin;
    if (kind !== "timer" && kind !== "send") return false;
    const ms = this.#backoff.remainingMs(version, this.#clock.monotonic());
    if (ms <= 0 || this.#held >= this.#max) return false;
    this.#held++;
    this.#clock.after(ms, () => {
      this.#held--;
      if (delivery.expired?.() !== true) this.#again(delivery, definition);
    });
    return true;
  }
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
