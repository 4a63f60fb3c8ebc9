import type { Measured } from "./measure.ts";

/** One line of a benchmark: a load, what it reached, and the baseline measured beside it in the same run. */
export interface BenchCase {
  readonly bench: string;
  /** Carries the load: `64 callers`. */
  readonly case: string;
  readonly measured: Measured;
  readonly baseline?: { readonly name: string } & Measured;
}

/** The line of `--json`. */
export function toJsonLine(line: BenchCase): string {
  const { bench, baseline, measured } = line;
  const ratio = baseline === undefined ? undefined : round(measured.opsPerSecond / baseline.opsPerSecond);
  return JSON.stringify({
    bench,
    case: line.case,
    ...rounded(measured),
    ...(baseline && { baseline: { name: baseline.name, ...rounded(baseline) } }),
    ratio,
  });
}

/** The head of the markdown table. */
export const TABLE_HEAD =
  "| bench | case | ops/s | p50 ms | p99 ms | RSS MB | baseline | ops/s | p99 ms | ratio |\n|---|---|--:|--:|--:|--:|---|--:|--:|--:|";

/** One row of the markdown table. */
export function toRow({ bench, case: name, measured, baseline }: BenchCase): string {
  const own = `| ${bench} | ${name} | ${count(measured.opsPerSecond)} | ${round(measured.p50Ms)} | ${round(measured.p99Ms)} | ${Math.round(measured.rssMb)} |`;
  if (baseline === undefined) return `${own} | | | |`;
  return `${own} ${baseline.name} | ${count(baseline.opsPerSecond)} | ${round(baseline.p99Ms)} | ${round(measured.opsPerSecond / baseline.opsPerSecond)} |`;
}

function rounded({ opsPerSecond, p50Ms, p99Ms, rssMb }: Measured): Measured {
  return { opsPerSecond: round(opsPerSecond), p50Ms: round(p50Ms), p99Ms: round(p99Ms), rssMb: round(rssMb) };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

function count(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}
