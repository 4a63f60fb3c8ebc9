import type { Measured } from "./measure.ts";

/** One line of a benchmark: a load, what it reached, and the baseline measured beside it in the same run. */
export interface BenchCase {
  readonly bench: string;
  /** What is measured together, where a benchmark has several parts that can be measured alone. Default: all of it. */
  readonly group?: string;
  /** Carries the load: `64 callers`. */
  readonly case: string;
  readonly measured: Measured;
  readonly baseline?: { readonly name: string } & Omit<Measured, "rssMb">;
  /** What else was counted, as in 0 `failed of 20,000`, or 3.2 `% of a processor`. */
  readonly figure?: { readonly value: number; readonly unit: string };
}

/** The line of `--json`. Without a baseline both `baseline` and `ratio` are `null`. */
export function toJsonLine({ bench, case: name, measured, baseline, figure }: BenchCase): string {
  return JSON.stringify({
    bench,
    case: name,
    ...rounded(measured),
    rssMb: round(measured.rssMb),
    baseline: baseline === undefined ? null : { name: baseline.name, ...rounded(baseline) },
    ratio: baseline === undefined ? null : round(measured.opsPerSecond / baseline.opsPerSecond),
    ...(figure === undefined ? {} : { figure }),
  });
}

/** The head of the markdown table. `ratio` compares the two rates. */
export const TABLE_HEAD =
  "| bench | case | ops/s | p50 ms | p99 ms | RSS MB | baseline | ops/s | p50 ms | p99 ms | ratio |\n" +
  "|---|---|--:|--:|--:|--:|---|--:|--:|--:|--:|";

/** One row of the markdown table. */
export function toRow({ bench, case: name, measured, baseline, figure }: BenchCase): string {
  const counted = figure === undefined ? "" : `: ${round(figure.value)} ${figure.unit}`;
  const own = `| ${bench} | ${name}${counted} | ${figures(measured)} | ${Math.round(measured.rssMb)} |`;
  if (baseline === undefined) return `${own} | | | | |`;
  return `${own} ${baseline.name} | ${figures(baseline)} | ${round(measured.opsPerSecond / baseline.opsPerSecond)} |`;
}

type Figures = Omit<Measured, "rssMb">;

function figures({ opsPerSecond, p50Ms, p99Ms }: Figures): string {
  return `${count(opsPerSecond)} | ${round(p50Ms)} | ${round(p99Ms)}`;
}

function rounded({ opsPerSecond, p50Ms, p99Ms }: Figures): Figures {
  return { opsPerSecond: round(opsPerSecond), p50Ms: round(p50Ms), p99Ms: round(p99Ms) };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

/** A rate below 100 keeps its decimals: containers come at less than ten a second. */
function count(value: number): string {
  return value < 100 ? String(round(value)) : Math.round(value).toLocaleString("en-US");
}
