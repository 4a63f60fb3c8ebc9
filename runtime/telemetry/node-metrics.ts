/**
 * The counts of one node.
 *
 * Owns: numbers, and nothing else. Does not own: their names outside, and when they are read (`Metrics`).
 *
 * X1 Counting a turn allocates nothing once its message was seen: two look-ups and an addition.
 * X2 What can be seen from elsewhere is not counted but looked at, when somebody asks.
 */
import type { SubscriptionStatus } from "../actor/subscription.ts";
import type { Answer } from "../message/delivery.ts";
import type { TroupeErrorCode } from "../message/errors.ts";
import type { Envelope } from "../ports/envelope.ts";
import type {
  LaneLoad,
  NamedValue,
  NodeCounts,
  SubscriptionLag,
  SubscriptionSkips,
  TurnCounts,
  TurnOutcome,
} from "../ports/metrics.ts";
import type { DeadLetterReason } from "../ports/store.ts";
import { Buckets, SECONDS, SIZES } from "./buckets.ts";

/** What is looked at in one store host. */
export interface CountedHost {
  readonly relays: readonly { readonly sink: { readonly name: string }; readonly pending: number }[];
  readonly store: { readonly name: string };
  readonly ownedPartitions: number;
  readonly timersDue: number;
  /** Milliseconds since the lease was last renewed. */
  readonly leaseAgeMs: number;
  readonly laneLoad: LaneLoad;
  reportActors(): Iterable<CountedActors>;
}

/** What is in memory, and waits, of one type. */
export interface CountedActors {
  readonly type: string;
  readonly inMemory: number;
  readonly waiting: number;
}

/** What is counted of a turn. */
export interface CountedTurn {
  readonly answerOnly?: boolean;
  readonly activation: { readonly id: { readonly type: string } };
  readonly envelope: Envelope;
  /** When it began, in milliseconds since the epoch. */
  readonly at: number;
}

const REFUSALS: ReadonlySet<TroupeErrorCode> = new Set(["refused", "invalid_input"]);

type Tally = Record<TurnOutcome, number>;

/** What is kept of the messages of one kind. */
interface Kept extends TurnCounts {
  readonly tally: Tally;
  readonly seconds: Buckets;
}

export class NodeMetrics implements NodeCounts {
  leaseFailures = 0;
  partitionsLost = 0;
  readonly commitSeconds = new Buckets(SECONDS);
  readonly commitBatchTurns = new Buckets(SIZES);
  readonly publishSeconds = new Map<string, Buckets>();
  readonly #hosts: () => readonly CountedHost[];
  readonly #subscriptions: () => readonly SubscriptionStatus[];
  readonly #workers: () => Iterable<CountedActors>;
  readonly #letters = new Map<DeadLetterReason, number>();
  readonly #away = new Map<string, number>();
  readonly #turns = new Map<string, Map<string, Kept>>();

  /** @param workers runs under way and calls that wait, of stateless workers. */
  constructor(
    hosts: () => readonly CountedHost[],
    subscriptions: () => readonly SubscriptionStatus[] = () => [],
    workers: () => Iterable<CountedActors> = () => [],
  ) {
    this.#hosts = hosts;
    this.#subscriptions = subscriptions;
    this.#workers = workers;
  }

  /** A message of an actor had its turn. */
  count(type: string, message: string, outcome: TurnOutcome): void {
    this.#of(type, message).tally[outcome]++;
  }

  /** A call found no room. */
  turnAway(type: string): void {
    this.#away.set(type, (this.#away.get(type) ?? 0) + 1);
  }

  /** A message was answered without a write. */
  answered({ type, message }: Envelope, answer: Answer): void {
    if (answer.kind === "reply") this.count(type, message, "ok");
    else this.count(type, message, REFUSALS.has(answer.error.code) ? "refused" : "failed");
  }

  /** The turns of one write are durable, at `nowMs` of the clock they began by. */
  committed(turns: readonly CountedTurn[], nowMs: number): void {
    this.commitBatchTurns.add(turns.length);
    for (const turn of turns) {
      if (turn.answerOnly) continue; // counted when it was refused
      const { message, traceparent } = turn.envelope;
      const kept = this.#of(turn.activation.id.type, message);
      kept.tally.ok++;
      kept.seconds.add(Math.max(0, nowMs - turn.at) / 1_000, traceparent, nowMs);
    }
  }

  /** The turns will not be written. */
  uncommitted(turns: readonly CountedTurn[]): void {
    for (const turn of turns) this.count(turn.activation.id.type, turn.envelope.message, "uncommitted");
  }

  /** A dead letter was kept. */
  buried(reason: DeadLetterReason): void {
    this.#letters.set(reason, (this.#letters.get(reason) ?? 0) + 1);
  }

  deadLetters(): Iterable<NamedValue> {
    return named(this.#letters);
  }

  /** Where the hand-overs to a sink are counted: asked for once. */
  publishing(sink: string): Buckets {
    let buckets = this.publishSeconds.get(sink);
    if (buckets === undefined) this.publishSeconds.set(sink, (buckets = new Buckets(SECONDS)));
    return buckets;
  }

  *turns(): Generator<TurnCounts> {
    for (const messages of this.#turns.values()) yield* messages.values();
  }

  turnedAway(): Iterable<NamedValue> {
    return named(this.#away);
  }

  lanes(): LaneLoad {
    const sum = { lanes: 0, full: 0, turns: 0, limit: 0 };
    for (const { laneLoad } of this.#hosts())
      for (const field of ["lanes", "full", "turns", "limit"] as const) sum[field] += laneLoad[field];
    return sum;
  }

  leaseAges(): Iterable<NamedValue> {
    return this.#hosts().map(({ store, leaseAgeMs }) => ({ name: store.name, value: leaseAgeMs / 1_000 }));
  }

  mailboxDepths(): Iterable<NamedValue> {
    return this.#byType("waiting");
  }

  activeActors(): Iterable<NamedValue> {
    return this.#byType("inMemory");
  }

  outboxPending(): Iterable<NamedValue> {
    const sums = new Map<string, number>();
    for (const host of this.#hosts())
      for (const { sink, pending } of host.relays) sums.set(sink.name, (sums.get(sink.name) ?? 0) + pending);
    return named(sums);
  }

  subscriptionLags(): Iterable<SubscriptionLag> {
    return this.#subscriptions().flatMap(({ source, actor, lag }) =>
      lag === undefined ? [] : [{ source, actor, lag }],
    );
  }

  subscriptionSkips(): Iterable<SubscriptionSkips> {
    return this.#subscriptions().map(({ source, actor, skipped }) => ({ source, actor, skipped }));
  }

  partitionsOwned(): number {
    return this.#hosts().reduce((sum, host) => sum + host.ownedPartitions, 0);
  }

  timersDue(): number {
    return this.#hosts().reduce((sum, host) => sum + host.timersDue, 0);
  }

  #byType(what: "waiting" | "inMemory"): Iterable<NamedValue> {
    const sums = new Map<string, number>();
    for (const reports of [...this.#hosts().map((host) => host.reportActors()), this.#workers()])
      for (const report of reports) sums.set(report.type, (sums.get(report.type) ?? 0) + report[what]);
    return named(sums);
  }

  #of(actor: string, message: string): Kept {
    return this.#turns.get(actor)?.get(message) ?? this.#first(actor, message);
  }

  #first(actor: string, message: string): Kept {
    const tally: Tally = { ok: 0, refused: 0, failed: 0, uncommitted: 0 };
    const kept = { actor, message, tally, seconds: new Buckets(SECONDS) };
    const messages = this.#turns.get(actor);
    if (messages === undefined) this.#turns.set(actor, new Map([[message, kept]]));
    else messages.set(message, kept);
    return kept;
  }
}

function named(sums: ReadonlyMap<string, number>): NamedValue[] {
  return [...sums].map(([name, value]) => ({ name, value }));
}
