import type { Distribution, Exemplar } from "../ports/metrics.ts";
import { isRecorded } from "../ports/tracing.ts";

/** From half a millisecond to ten seconds: a turn, a commit, a publish. */
export const SECONDS: readonly number[] = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];
/** How many at once. */
export const SIZES: readonly number[] = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000];

/** Counts values by size. `add` allocates nothing, but for the first traced value of a bucket. */
export class Buckets implements Distribution {
  readonly bounds: readonly number[];
  readonly counts: number[];
  sum = 0;
  readonly exemplars: (LastTraced | undefined)[] = [];

  /** @param bounds the upper end of each bucket, smallest first. */
  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  /**
   * @param traceparent where the value was seen, if it is known. Only a trace that is recorded can be looked at: others are passed over.
   * @param atMs when: milliseconds since the epoch.
   */
  add(value: number, traceparent?: string, atMs = 0): void {
    const { bounds, counts } = this;
    let i = 0;
    while (i < bounds.length && value > (bounds[i] as number)) i++;
    counts[i] = (counts[i] as number) + 1;
    this.sum += value;
    if (!isRecorded(traceparent)) return;
    const kept = this.exemplars[i];
    if (kept === undefined) this.exemplars[i] = { traceparent, value, atMs };
    else {
      kept.traceparent = traceparent;
      kept.value = value;
      kept.atMs = atMs;
    }
  }
}

/** An exemplar that is written over by the next one. */
type LastTraced = { -readonly [field in keyof Exemplar]: Exemplar[field] };
