import { GROWING, growthCase, sizesOf } from "./growth.ts";
import { EMPTY_STORE, relayCase } from "./relay-cases.ts";
import type { BenchCase } from "./report.ts";

/** What a case should reach. */
export interface Target {
  readonly bench: string;
  /** The case; `… kills`: whichever ends like that. */
  readonly case: string;
  /** The baseline that it is about, where a case has several lines. */
  readonly baseline?: string;
  /** What was reached before it became a target. */
  readonly was?: string;
  /** Operations a second at least. */
  readonly opsPerSecond?: number;
  /** Milliseconds at most. */
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  /** Of the rate to that of the baseline, at least. */
  readonly ratio?: number;
  /** Milliseconds beyond the baseline's median, at most. */
  readonly addsP50Ms?: number;
  /** Of what else was counted, at most. */
  readonly figure?: number;
}

/** The targets, for two cores that everything of a case shares. */
export const TARGETS: readonly Target[] = [
  { bench: "ask", case: "64 in flight, each changes a state", was: "0.99 M/s", opsPerSecond: 1_300_000 },
  { bench: "ask", case: "256 in flight, each changes a state", was: "0.79 M/s", opsPerSecond: 1_150_000 },
  { bench: "tell", case: "in bursts of 10,000, each changes a state", was: "0.6 M/s", opsPerSecond: 4_000_000 },
  { bench: "turn", case: "256 callers, each with a message id", was: "49,600/s", opsPerSecond: 75_000 },
  { bench: "route", case: "64 callers, 1,000 keys", was: "24,000/s", opsPerSecond: 30_000 },
  { bench: "route", case: "256 callers, 1,000 keys", was: "36,800/s", opsPerSecond: 45_000 },
  { bench: "route", case: "256 callers, 100,000 keys", baseline: "1,000 keys", was: "0.15 to 0.22", ratio: 0.8 },
  {
    bench: "activation",
    case: "50,000 new actors, 256 callers",
    was: "10,600/s falling to 3,900",
    opsPerSecond: 25_000,
  },
  { bench: "activation", case: "100,000 stored actors at random, 256 callers", ratio: 0.8 },
  { bench: "http", case: "64 callers", was: "13,700/s", opsPerSecond: 20_000 },
  { bench: "events", case: "64 callers", was: "9,900/s", opsPerSecond: 20_000, p99Ms: 20 },
  { bench: "saga", case: "32 in flight", was: "0.8", ratio: 1.5 },
  { bench: "relay", case: relayCase("kafka"), baseline: "SKIP LOCKED poller", opsPerSecond: 40_000 },
  { bench: "relay", case: relayCase("rabbitmq"), baseline: "SKIP LOCKED poller", opsPerSecond: 15_000 },
  ...(["nats", "kafka", "rabbitmq", "redis"] as const).flatMap((broker) => [
    { bench: "relay", case: relayCase(broker, "1M rows there"), baseline: EMPTY_STORE, ratio: 0.8 },
    { bench: "relay", case: relayCase(broker, "transaction open for 600 s"), baseline: EMPTY_STORE, ratio: 0.8 },
  ]),
  ...GROWING.flatMap((growing) =>
    sizesOf(growing)
      .slice(1)
      .map((size) => ({ bench: "growth", case: growthCase(growing, size), ratio: 0.8 })),
  ),
  { bench: "failover", case: "… kills, next durable reply", p99Ms: 3_000 },
  { bench: "failover", case: "… planned handovers, longest pause between durable replies", p99Ms: 200 },
  { bench: "containers", case: "10 desired to answering, 3 times", ratio: 1 / 1.1 },
  { bench: "containers", case: "healing, 10 kills", p50Ms: 400, p99Ms: 1_000 },
  ...["/console", "/console/brokers?broker=nats", "/console/services/talk"].flatMap((page) => [
    { bench: "console", case: `${page} open, events taken`, ratio: 0.97 },
    { bench: "console", case: `${page} open, frames drawn`, opsPerSecond: 50 },
  ]),
  { bench: "services", case: "10 desired to answering, raw creates beside", ratio: 1 / 1.1 },
  { bench: "services", case: "killed to serving", p50Ms: 400, p99Ms: 1_000 },
  { bench: "services", case: "lag step to 4 replicas running", p99Ms: 3_000 },
  { bench: "services", case: "3 → 3 updates under 500 requests a second", figure: 0 },
  { bench: "services", case: "request to a service at zero", p99Ms: 1_500 },
  { bench: "services", case: "forwarded, 1 caller", addsP50Ms: 0.3 },
  { bench: "services", case: "forwarded, 64 callers", opsPerSecond: 15_000 },
  { bench: "services", case: "100 services of 2 replicas at rest", figure: 5 },
];

/** A part of a target, and whether a case has reached it. */
export interface Verdict {
  readonly what: string;
  readonly reached: boolean;
}

/** The target that a line is about. */
export function targetOf({ bench, case: name, baseline }: BenchCase): Target | undefined {
  return TARGETS.find(
    (one) =>
      one.bench === bench && isCase(one.case, name) && (one.baseline === undefined || one.baseline === baseline?.name),
  );
}

function isCase(wanted: string, name: string): boolean {
  return wanted === name || (wanted.startsWith("… ") && name.endsWith(wanted.slice(1)));
}

/** What a target asks for. */
export function partsOf(target: Target): readonly string[] {
  return checks(target).map(({ what }) => what);
}

/** Each part of a target, as a line of its case has reached it. */
export function verdictsOf(target: Target, { measured, baseline, figure }: BenchCase): readonly Verdict[] {
  const ratio = baseline === undefined ? 0 : measured.opsPerSecond / baseline.opsPerSecond;
  const addedMs = baseline === undefined ? Number.POSITIVE_INFINITY : measured.p50Ms - baseline.p50Ms;
  const counted = figure?.value ?? Number.POSITIVE_INFINITY;
  return checks(target).map(({ what, holds }) => ({ what, reached: holds({ ...measured, ratio, addedMs, counted }) }));
}

interface Reached {
  readonly opsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly ratio: number;
  readonly addedMs: number;
  readonly counted: number;
}

function checks({ opsPerSecond, p50Ms, p99Ms, ratio, addsP50Ms, figure }: Target) {
  const all: { readonly what: string; holds(reached: Reached): boolean }[] = [];
  if (opsPerSecond !== undefined)
    all.push({
      what: `${opsPerSecond.toLocaleString("en-US")} ops/s`,
      holds: (reached) => reached.opsPerSecond >= opsPerSecond,
    });
  if (p50Ms !== undefined) all.push({ what: `p50 of ${p50Ms} ms`, holds: (reached) => reached.p50Ms <= p50Ms });
  if (p99Ms !== undefined) all.push({ what: `p99 of ${p99Ms} ms`, holds: (reached) => reached.p99Ms <= p99Ms });
  if (ratio !== undefined)
    all.push({ what: `ratio of ${Math.round(ratio * 100) / 100}`, holds: (reached) => reached.ratio >= ratio });
  if (addsP50Ms !== undefined)
    all.push({ what: `${addsP50Ms} ms more at p50`, holds: (reached) => reached.addedMs <= addsP50Ms });
  if (figure !== undefined) all.push({ what: `at most ${figure}`, holds: (reached) => reached.counted <= figure });
  return all;
}
