import type { Randomness } from "../../base/randomness.ts";

/**
 * Chance that repeats: the same seed gives the same draws, on every machine.
 *
 * @example
 * ```ts
 * const random = new SeededRandom(7);
 * const amounts = [1, 2, 3].map(() => random.between(1, 100)); // the same three numbers each time
 * ```
 */
export class SeededRandom implements Randomness {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;
  #uuids = 0;
  #lastMs = 0;

  constructor(seed: number) {
    this.#a = seed >>> 0;
    this.#b = Math.floor(seed / 0x100000000) ^ 0x9e3779b9;
    this.#c = 0x243f6a88;
    for (let i = 0; i < 12; i++) this.#next(); // Neighbouring seeds must not begin alike.
  }

  /** At least 0 and below 1. */
  fraction(): number {
    return this.#next() / 0x100000000;
  }

  /** A whole number, at least `min` and at most `max`. */
  between(min: number, max: number): number {
    return min + Math.floor(this.fraction() * (max - min + 1));
  }

  /** True with the probability `p`. */
  chance(p: number): boolean {
    return this.fraction() < p;
  }

  /** @throws {RangeError} when there is nothing to choose from. */
  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new RangeError("Cannot pick from nothing: expected at least one item");
    return items[Math.floor(this.fraction() * items.length)] as T;
  }

  /** Laid out as a UUIDv7; ids of one generator differ and sort in the order they were drawn. */
  uuid(nowMs: number): string {
    this.#lastMs = Math.max(this.#lastMs, Math.floor(nowMs));
    const time = this.#lastMs.toString(16).padStart(12, "0");
    const count = (++this.#uuids).toString(16).padStart(12, "0");
    const noise = this.#next().toString(16).padStart(8, "0");
    return `${time.slice(0, 8)}-${time.slice(8)}-7${count.slice(0, 3)}-8${count.slice(3, 6)}-${count.slice(6)}${noise.slice(2)}`;
  }

  /** The generator sfc32. */
  #next(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (this.#c << 21) | (this.#c >>> 11);
    this.#c = (this.#c + sum) | 0;
    return sum >>> 0;
  }
}
