/** Durations counted in buckets that grow by 10 %: percentiles within 10 %, in bounded space. */
export type Spread = Record<string, number>;

const GROWTH = Math.log(1.1);

export function addTo(spread: Spread, ms: number): void {
  const bucket = ms < 1 ? 0 : Math.floor(Math.log(ms) / GROWTH);
  spread[bucket] = (spread[bucket] ?? 0) + 1;
}

/** The duration that `share` of all do not pass; 0 where there is none. */
export function percentile(spread: Readonly<Spread>, share: number): number {
  const buckets = Object.entries(spread)
    .map(([bucket, count]) => [Number(bucket), count] as const)
    .sort(([a], [b]) => a - b);
  let left = buckets.reduce((sum, [, count]) => sum + count, 0) * share;
  for (const [bucket, count] of buckets) {
    left -= count;
    if (left <= 0) return Math.round(Math.exp((bucket + 1) * GROWTH));
  }
  return 0;
}
