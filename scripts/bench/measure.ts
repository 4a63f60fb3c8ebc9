/** What one load reached. Times in milliseconds. */
export interface Measured {
  readonly opsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly rssMb: number;
}

/**
 * Runs `operation` from `callers` loops at once: a warm-up that is not counted, then `seconds`. Latency is kept for
 * every operation up to two million.
 */
export async function load(
  callers: number,
  operation: (caller: number, round: number) => Promise<unknown>,
  { seconds = 5, warmUpSeconds = 3 }: { seconds?: number; warmUpSeconds?: number } = {},
): Promise<Measured> {
  await drive(callers, operation, warmUpSeconds * 1_000, []);
  const latencies: number[] = [];
  const startedAt = performance.now();
  const count = await drive(callers, operation, seconds * 1_000, latencies);
  const elapsed = (performance.now() - startedAt) / 1_000;
  return { opsPerSecond: count / elapsed, ...percentiles(latencies), rssMb: process.memoryUsage.rss() / 1_048_576 };
}

async function drive(
  callers: number,
  operation: (caller: number, round: number) => Promise<unknown>,
  ms: number,
  latencies: number[],
): Promise<number> {
  const until = performance.now() + ms;
  let count = 0;
  // Every loop ends before the first failure is thrown: what a failing load used must not vanish under the others.
  const outcomes = await Promise.allSettled(
    Array.from({ length: callers }, async (_, caller) => {
      for (let round = 0; ; round++) {
        const startedAt = performance.now();
        if (startedAt >= until) return;
        await operation(caller, round);
        count++;
        if (latencies.length < 2_000_000) latencies.push(performance.now() - startedAt);
      }
    }),
  );
  const failed = outcomes.find((outcome) => outcome.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  return count;
}

/** The median and the 99th percentile of a list of times. */
export function percentiles(latencies: readonly number[]): { p50Ms: number; p99Ms: number } {
  const sorted = Float64Array.from(latencies).sort();
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { p50Ms: at(0.5), p99Ms: at(0.99) };
}

/** The memory of another process, in megabytes; of this one without a process id. */
export function rssOf(pid?: number): number {
  if (pid === undefined) return process.memoryUsage.rss() / 1_048_576;
  const { stdout } = Bun.spawnSync(["ps", "-o", "rss=", "-p", String(pid)]);
  return Number(stdout.toString().trim()) / 1_024;
}

/** The figures of operations that were timed one by one; `seconds` is how long all of them took together. */
export function summary(latencies: readonly number[], seconds: number, rssMb: number = rssOf()): Measured {
  return { opsPerSecond: latencies.length / seconds, ...percentiles(latencies), rssMb };
}
