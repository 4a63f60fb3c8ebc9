import { GROWING, growthCase, sizesOf } from "./growth.ts";
import type { BenchCase } from "./report.ts";

/** What a case should reach. */
export interface Target {
  readonly bench: string;
  readonly case: string;
  /** Operations a second at least. */
  readonly opsPerSecond?: number;
  /** Milliseconds at most. */
  readonly p99Ms?: number;
  /** Of the rate to that of the baseline, at least. */
  readonly ratio?: number;
}

/** The targets, for two cores that everything of a case shares. */
export const TARGETS: readonly Target[] = [
  { bench: "ask", case: "64 in flight, each changes a state", opsPerSecond: 1_300_000 },
  { bench: "ask", case: "256 in flight, each changes a state", opsPerSecond: 1_150_000 },
  { bench: "tell", case: "in bursts of 10,000, each changes a state", opsPerSecond: 4_000_000 },
  { bench: "turn", case: "256 callers, each with a message id", opsPerSecond: 75_000 },
  { bench: "activation", case: "50,000 new actors, 256 callers", opsPerSecond: 25_000 },
  { bench: "activation", case: "100,000 stored actors at random, 256 callers", ratio: 0.8 },
  ...GROWING.flatMap((growing) =>
    sizesOf(growing)
      .slice(1)
      .map((size) => ({ bench: "growth", case: growthCase(growing, size), ratio: 0.8 })),
  ),
  { bench: "http", case: "64 callers", opsPerSecond: 20_000 },
  { bench: "events", case: "64 callers", opsPerSecond: 20_000, p99Ms: 20 },
  { bench: "saga", case: "32 in flight", ratio: 1.5 },
];

/** What is said of a case beside its figures: its targets, and whether they were reached. Empty where it has none. */
export function verdictOf({ bench, case: name, measured, baseline }: BenchCase): string {
  const target = TARGETS.find((one) => one.bench === bench && one.case === name);
  if (target === undefined) return "";
  const ratio = baseline === undefined ? 0 : measured.opsPerSecond / baseline.opsPerSecond;
  const parts: [string, boolean][] = [];
  const { opsPerSecond, p99Ms } = target;
  if (opsPerSecond !== undefined)
    parts.push([`${opsPerSecond.toLocaleString("en-US")} ops/s`, measured.opsPerSecond >= opsPerSecond]);
  if (p99Ms !== undefined) parts.push([`p99 of ${p99Ms} ms`, measured.p99Ms <= p99Ms]);
  if (target.ratio !== undefined) parts.push([`ratio of ${target.ratio}`, ratio >= target.ratio]);
  return parts.map(([what, reached]) => `${what}: ${reached ? "reached" : "**missed**"}`).join("; ");
}
