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

  /** A handler threw. */
  threw(): void {
    this.#backoff.threw(this.#clock.monotonic());
  }

  /** A turn ended well. */
  endedWell(): void {
    this.#backoff.endedWell();
  }

  /** Holds a message back, if it has to be. Returns whether it does. */
  takes(delivery: Delivery, definition: AnyMessageDefinition): boolean {
    const { kind } = delivery.envelope.origin;
    if (kind !== "timer" && kind !== "send") return false;
    const ms = this.#backoff.remainingMs(this.#clock.monotonic());
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
  #until: number | undefined;

  readonly #randomness: Randomness;

  constructor({ backoff }: RestartPolicy, randomness: Randomness) {
    this.#randomness = randomness;
    this.#minMs = durationMs(backoff.min);
    this.#maxMs = durationMs(backoff.max);
  }

  /** A handler threw. */
  threw(now: number): void {
    this.#throws++;
    this.#until = now + backoffMs(this.#throws, this.#randomness, this.#minMs, this.#maxMs);
  }

  /** A turn ended well: the row of throws is over, and so is the pause. */
  endedWell(): void {
    this.#throws = 0;
    this.#until = undefined;
  }

  /** Milliseconds to wait from now; 0 or less: none. */
  remainingMs(now: number): number {
    return this.#until === undefined ? 0 : this.#until - now;
  }
}
