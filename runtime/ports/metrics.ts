/** What a node counts, and who may read it. The node only adds numbers; names, labels and formats are the adapter's. */

/** Where nodes leave their counts: see `prometheus` in `infra/telemetry`. */
export interface Metrics {
  /**
   * Takes the counts of a node that starts, to be read whenever somebody asks, from the same thread. Returns what ends
   * that, for when the node stops.
   */
  attach(counts: NodeCounts): () => void;
}

/**
 * What became of a message that had its turn. `ok`: durable, or nothing had to be written. `refused`: the actor said no.
 * `failed`: its handler threw. `uncommitted`: the turn was not written. A repeat of a handled id is no turn.
 */
export type TurnOutcome = "ok" | "refused" | "failed" | "uncommitted";

/** How often each outcome came, for one message of one actor type. */
export type TurnTally = Readonly<Record<TurnOutcome, number>>;

/** Values sorted into buckets. Bucket `i` counts values up to `bounds[i]`, and above `bounds[i - 1]`. */
export interface Distribution {
  readonly bounds: readonly number[];
  /** One more than there are bounds: the last bucket has no upper end. Not cumulative. */
  readonly counts: readonly number[];
  readonly sum: number;
  /** The last traced value of each bucket, where there was one. */
  readonly exemplars?: readonly (Exemplar | undefined)[];
}

/** One value of a distribution, and the trace that shows how it came about. */
export interface Exemplar {
  /** W3C Trace Context: the trace's id is in it. */
  readonly traceparent: string;
  readonly value: number;
  /** Milliseconds since the epoch. */
  readonly atMs: number;
}

/** How full the commit lanes of a node are. */
export interface LaneLoad {
  /** Lanes the node has. */
  readonly lanes: number;
  /** Lanes that let no turn begin until a commit has made room. */
  readonly full: number;
  /** Turns that ended and wait for their commit. */
  readonly turns: number;
  /** Turns that may wait, at most, before the lanes are full. */
  readonly limit: number;
}

/** What became of the messages of one kind that had their turn. */
export interface TurnCounts {
  readonly actor: string;
  readonly message: string;
  readonly tally: TurnTally;
  /** From the start of a turn to the commit that holds it, in seconds, to the millisecond. */
  readonly seconds: Distribution;
}

/** A gauge of one actor type or sink. */
export interface NamedValue {
  readonly name: string;
  readonly value: number;
}

/** How far a subscription is behind. */
export interface SubscriptionLag {
  /** The source's name, as in `kafka`. */
  readonly source: string;
  readonly actor: string;
  /** Events at the broker that were not acknowledged. */
  readonly lag: number;
}

/** What a subscription has skipped. */
export interface SubscriptionSkips {
  readonly source: string;
  readonly actor: string;
  /** Messages that carried nothing to be handled, since the start. Only grows. */
  readonly skipped: number;
}

/**
 * The counts of one node since its start, and how it stands right now. Names come from closed sets: declared actor types
 * and messages, configured sinks.
 */
export interface NodeCounts {
  turns(): Iterable<TurnCounts>;
  /** One write to the store. */
  readonly commitSeconds: Distribution;
  /** Turns that one write held. */
  readonly commitBatchTurns: Distribution;
  /** One hand-over of records to a sink, by the sink's name. */
  readonly publishSeconds: ReadonlyMap<string, Distribution>;
  /** Dead letters that were kept since the start, by their reason (`poison`, `broker`, …). Only grows. */
  deadLetters(): Iterable<NamedValue>;
  /** Messages that wait for their turn, by actor type. */
  mailboxDepths(): Iterable<NamedValue>;
  /** Actors in memory, by type. */
  activeActors(): Iterable<NamedValue>;
  /** Committed records that a sink has not acknowledged, by the sink's name. */
  outboxPending(): Iterable<NamedValue>;
  /** Of the subscriptions that this node consumes, where the broker could be asked. */
  subscriptionLags(): Iterable<SubscriptionLag>;
  /** Of all subscriptions this node may consume. */
  subscriptionSkips(): Iterable<SubscriptionSkips>;
  /** Calls that found no room, in the mailbox or in the lane, by actor type. Only grows. */
  turnedAway(): Iterable<NamedValue>;
  lanes(): LaneLoad;
  /** Seconds since the lease was last renewed, by store. */
  leaseAges(): Iterable<NamedValue>;
  /** Renewals of a lease that failed. Only grows. */
  readonly leaseFailures: number;
  /** Partitions that another node took while they were in use here: a handover is no loss. Only grows. */
  readonly partitionsLost: number;
  partitionsOwned(): number;
  /** Timers whose time has come, and whose turn has not ended yet. */
  timersDue(): number;
}
