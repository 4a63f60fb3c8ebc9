import type * as v from "valibot";
import type { Decision, ScalePolicy } from "../service/messages.ts";
import type { Readings } from "./messages.ts";

type Policy = v.InferOutput<typeof ScalePolicy>;
type Metrics = v.InferOutput<typeof Decision>["metrics"];

/** What was recommended at a time. */
export interface Recommendation {
  readonly at: number;
  readonly replicas: number;
}

/** What a decision is made on. */
export interface Work {
  readonly policy: Policy;
  readonly current: number;
  readonly readings: Readings;
  /** When the last request came, in milliseconds since the epoch; 0: never. */
  readonly lastRequestAt: number;
  /** What was recommended lately, oldest first. */
  readonly past: readonly Recommendation[];
  readonly nowMs: number;
}

/** How many replicas there should be, why, and what is recommended at this moment. */
export interface Verdict {
  readonly to: number;
  readonly reason: string;
  readonly metrics: Metrics;
  readonly recommendation: Recommendation;
}

/** A use that is so near to its target changes nothing. */
const TOLERANCE = 0.1;

/**
 * How many replicas a service should have: for each thing it is scaled on as many as carry it, the highest counts. A
 * higher number is taken once it was wanted for `up`, a lower one for `down`: of the numbers wanted meanwhile the one
 * nearest to the present. What cannot be read never makes a service smaller.
 */
export function decide({ policy, current, readings, lastRequestAt, past, nowMs }: Work): Verdict {
  const metrics: Metrics = {};
  const unread: string[] = [];
  let highest = 0;
  let because = "there is no work";
  for (const [name, target] of targetsOf(policy)) {
    const value = readings[name];
    if (value === undefined || value === null) {
      unread.push(name);
      continue;
    }
    const wants = wantedBy(name, value, target, current);
    metrics[name] = { value, target, wants };
    if (wants > highest) {
      highest = wants;
      because = `${name} is ${round(value)}, one replica carries ${round(target)}`;
    }
  }

  const idle = highest === 0 && unread.length === 0;
  const floor = idle && maySleep(policy, lastRequestAt, nowMs) ? 0 : Math.max(policy.min, 1);
  const wanted = Math.min(Math.max(highest, floor), policy.max);
  const recommendation = { at: nowMs, replicas: unread.length > 0 ? Math.max(wanted, current) : wanted };
  const to = stabilised(current, recommendation, past, policy);
  const reason =
    to === current
      ? whyStay({ current, recommended: recommendation.replicas, highest, because, unread, policy })
      : to === 0
        ? "there was no work for long enough"
        : unread.length > 0
          ? `${because}; ${unread.join(", ")} cannot be read`
          : because;
  return { to, reason, metrics, recommendation };
}

/** Why there are neither more nor fewer. */
function whyStay({
  current,
  recommended,
  highest,
  because,
  unread,
  policy,
}: {
  readonly current: number;
  readonly recommended: number;
  readonly highest: number;
  readonly because: string;
  readonly unread: readonly string[];
  readonly policy: Policy;
}): string {
  if (recommended > current) return `${because}: ${recommended} once that was so for ${seconds(policy.upMs)}`;
  if (recommended < current) return `${because}: ${recommended} once that was so for ${seconds(policy.downMs)}`;
  if (unread.length > 0) return `${unread.join(", ")} cannot be read: it stays at ${current}`;
  if (highest > policy.max) return `${because}: ${highest} would carry it, max is ${policy.max}`;
  return highest < policy.min ? `${because}, and min is ${policy.min}` : `${because}: that is ${current}`;
}

function seconds(ms: number): string {
  return `${round(ms / 1_000)} s`;
}

/** Which recommendations still count. */
export function recent(past: readonly Recommendation[], policy: Policy, nowMs: number): Recommendation[] {
  const longest = Math.max(policy.upMs, policy.downMs);
  return past.filter(({ at }) => nowMs - at <= longest).slice(-1_000);
}

function targetsOf({ on }: Policy): [string, number][] {
  return Object.entries(on).flatMap(([name, target]): [string, number][] => {
    if (target === undefined) return [];
    return [[name, typeof target === "number" ? target : target.perReplica]];
  });
}

/** Shares of what a replica may use are averages over the replicas there are; all else is a sum to be carried. */
function wantedBy(name: string, value: number, target: number, current: number): number {
  if (name !== "cpu" && name !== "memory") return Math.ceil(value / target);
  const ratio = value / target;
  if (Math.abs(ratio - 1) <= TOLERANCE) return current;
  return Math.ceil(Math.max(current, 1) * ratio);
}

function maySleep({ min, toZeroAfterMs }: Policy, lastRequestAt: number, nowMs: number): boolean {
  if (toZeroAfterMs !== null) return nowMs - lastRequestAt >= toZeroAfterMs;
  return min === 0;
}

function stabilised(current: number, now: Recommendation, past: readonly Recommendation[], policy: Policy): number {
  const windowOf = (ms: number): number[] => [
    ...past.filter(({ at }) => now.at - at < ms).map(({ replicas }) => replicas),
    now.replicas,
  ];
  if (now.replicas > current) return Math.max(current, Math.min(...windowOf(policy.upMs)));
  if (now.replicas < current) {
    const oldest = past[0]?.at ?? now.at;
    // A window that has not been looked at to its end says nothing yet.
    if (policy.downMs > 0 && now.at - oldest < policy.downMs * 0.9) return current;
    return Math.min(current, Math.max(...windowOf(policy.downMs)));
  }
  return current;
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
