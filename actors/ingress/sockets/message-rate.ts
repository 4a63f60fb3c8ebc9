/** A bucket that fills evenly: `burst` at once, `perSecond` in the long run. */
export class MessageRate {
  readonly #perSecond: number;
  readonly #burst: number;
  #left: number;
  #at = 0;

  constructor(perSecond: number, burst: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#left = burst;
  }

  /** Whether one more is within the rate at `nowMs`, on a clock that never goes back. */
  take(nowMs: number): boolean {
    const filled = this.#left + ((nowMs - this.#at) * this.#perSecond) / 1_000;
    this.#left = Math.min(this.#burst, filled);
    this.#at = nowMs;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}
