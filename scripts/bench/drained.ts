import type { OutboxRecord } from "#runtime";
import { type Measured, summary } from "./measure.ts";

/** Counts acknowledgements; a repeat counts once. */
export class Drained {
  readonly #seen = new Set<string>();
  #latencies: number[] = [];
  #startedAt = 0;
  #wanted = Number.POSITIVE_INFINITY;
  #done = Promise.withResolvers<Measured>();

  /** Counts from here on, up to `wanted`. */
  start(wanted: number): void {
    this.#seen.clear();
    this.#latencies = [];
    this.#wanted = wanted;
    this.#done = Promise.withResolvers<Measured>();
    this.#startedAt = performance.now();
  }

  /** Resolves when as many as wanted were acknowledged since the start. Times count from the start. */
  get done(): Promise<Measured> {
    return this.#done.promise;
  }

  acked(records: readonly OutboxRecord[]): void {
    if (this.#wanted === Number.POSITIVE_INFINITY) return;
    const after = performance.now() - this.#startedAt;
    for (const { id } of records) {
      if (this.#seen.has(id)) continue;
      this.#seen.add(id);
      this.#latencies.push(after);
    }
    if (this.#seen.size >= this.#wanted) this.#done.resolve(summary(this.#latencies, after / 1_000));
  }
}
