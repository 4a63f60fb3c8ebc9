import { useEffect, useRef, useState } from "react";
import { compact } from "../kit/format.ts";
import { byLabel, type Metrics } from "./metrics.ts";

/** What passes a part of the system. */
export interface Flow {
  /** A second, between the last looks; the newest last. */
  readonly rates: readonly number[];
  /** 99 of 100 were within this since the look before; absent where nothing passed. */
  readonly p99Ms: number | undefined;
}

/** What is counted of a kind of part: its counter, its histogram, and the label that tells the parts apart. */
interface Kind {
  readonly name: string;
  readonly counter: string;
  readonly histogram: string;
  /** Empty where there is one part. */
  readonly label: string;
}

const KINDS: readonly Kind[] = [
  { name: "http", counter: "troupe_http_requests_total", histogram: "troupe_http_request_seconds", label: "" },
  { name: "store", counter: "troupe_commit_seconds_count", histogram: "troupe_commit_seconds", label: "" },
  { name: "actor", counter: "troupe_turns_total", histogram: "troupe_turn_seconds", label: "actor" },
  {
    name: "sink",
    counter: "troupe_outbox_publish_seconds_count",
    histogram: "troupe_outbox_publish_seconds",
    label: "sink",
  },
];
const POINTS = 20;
const PERCENTILE = 0.99;

/** The flows through HTTP, the stores, each actor type and each sink, by `http`, `store`, `actor order`, `sink kafka`. */
export function useFlows(metrics: Metrics | undefined, at: number): ReadonlyMap<string, Flow> {
  const before = useRef<{ readonly at: number; readonly metrics: Metrics }>(undefined);
  const [flows, setFlows] = useState<ReadonlyMap<string, Flow>>(new Map());
  useEffect(() => {
    const last = before.current;
    if (metrics === undefined || (last !== undefined && at <= last.at)) return;
    before.current = { at, metrics };
    if (last === undefined) return;
    const seconds = (at - last.at) / 1_000;
    setFlows((shown) => new Map(KINDS.flatMap((kind) => flowsOf(kind, metrics, last.metrics, seconds, shown))));
  }, [metrics, at]);
  return flows;
}

function flowsOf(
  { name, counter, histogram, label }: Kind,
  now: Metrics,
  before: Metrics,
  seconds: number,
  shown: ReadonlyMap<string, Flow>,
): readonly (readonly [string, Flow])[] {
  const earlier = byLabel(before, counter, label);
  const [buckets, earlierBuckets] = [bucketsOf(now, histogram, label), bucketsOf(before, histogram, label)];
  return [...byLabel(now, counter, label)].map(([value, count]) => {
    const part = value === "" ? name : `${name} ${value}`;
    // A process that was started anew counts from 0.
    const rate = Math.max(0, count - (earlier.get(value) ?? 0)) / seconds;
    const rates = [...(shown.get(part)?.rates ?? []), rate].slice(-POINTS);
    return [part, { rates, p99Ms: p99(buckets.get(value), earlierBuckets.get(value)) }];
  });
}

type Buckets = ReadonlyMap<number, number>;

/** The counts up to each bound, by the values of a label. */
function bucketsOf(metrics: Metrics, histogram: string, label: string): ReadonlyMap<string, Buckets> {
  const found = new Map<string, Map<number, number>>();
  for (const { labels, value } of metrics.get(`${histogram}_bucket`) ?? []) {
    const part = labels[label] ?? "";
    const bound = labels["le"] === "+Inf" ? Infinity : Number(labels["le"]);
    const counts = found.get(part) ?? new Map<number, number>();
    found.set(part, counts.set(bound, (counts.get(bound) ?? 0) + value));
  }
  return found;
}

/** The bound that holds 99 of 100 of what came since the look before; the largest finite one where none does. */
function p99(now: Buckets = new Map(), before: Buckets = new Map()): number | undefined {
  const grown = [...now]
    .map(([bound, count]) => ({ bound, count: count - (before.get(bound) ?? 0) }))
    .toSorted((a, b) => a.bound - b.bound);
  const all = grown.at(-1)?.count ?? 0;
  if (all <= 0) return undefined;
  const holds = grown.find(({ count }) => count >= all * PERCENTILE)?.bound ?? Infinity;
  const largest = grown.findLast(({ bound }) => bound !== Infinity)?.bound ?? 0;
  return Math.min(holds, largest) * 1_000;
}

/** As in `12/s`, `0.4/s`. */
export function rateText(perSecond: number): string {
  return `${perSecond > 0 && perSecond < 10 ? perSecond.toFixed(1) : compact(Math.round(perSecond))}/s`;
}
