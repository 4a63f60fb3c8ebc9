import { eventually } from "#infra/testing/eventually.ts";
import type { OutboxRecord } from "#runtime";
import { type Measured, summary } from "./measure.ts";
import { paced } from "./paced.ts";

const ACKED_WITHIN_MS = 180_000;

type Write = (n: number) => Promise<unknown>;

/** When each numbered event was durable, and when it was acknowledged. */
export class Timeline {
  #durableAt = new Map<number, number>();
  #ackedAt = new Map<number, number>();
  #next = 0;

  acked(records: readonly OutboxRecord[]): void {
    const now = performance.now();
    for (const { body } of records) this.#ackedAt.set((JSON.parse(body) as { n: number }).n, now);
  }

  /** Writes events at this rate and waits for their acknowledgements. They do not count. */
  async feed(write: Write, rate: number, seconds: number): Promise<void> {
    const from = this.#next;
    this.#next += Math.round(rate * seconds);
    await paced(rate, seconds, async (i) => {
      await write(from + i);
      this.#durableAt.set(from + i, performance.now());
    });
    const written = this.#durableAt;
    await eventually("every event is acknowledged", ACKED_WITHIN_MS, async () =>
      written.keys().every((n) => this.#ackedAt.has(n)),
    );
  }

  /** As {@link feed}; these count. */
  async measure(write: Write, rate: number, seconds: number): Promise<Measured> {
    this.#durableAt = new Map();
    this.#ackedAt = new Map();
    const startedAt = performance.now();
    await this.feed(write, rate, seconds);
    const counted = [...this.#durableAt];
    const acks = counted.map(([n]) => this.#ackedAt.get(n) ?? Number.NaN);
    const latencies = counted.map(([, durableAt], i) => (acks[i] ?? Number.NaN) - durableAt);
    return summary(latencies, (acks.reduce((last, at) => Math.max(last, at), 0) - startedAt) / 1_000);
  }
}
