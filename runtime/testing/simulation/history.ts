/**
 * What happened in a simulation, in order: what {@link checkHistory} judges. Plain data, so that a history can be written
 * down, compared, and broken on purpose.
 *
 * `at` is the simulation's own time in milliseconds. Actors are written `type/key`, states and replies are JSON; a state
 * is `null` where the actor does not exist. `node` is one life of a node, as in `n2.1`: the second life of the second.
 */
export type HistoryEntry =
  | WorldEntry
  | NodeEntry
  | FaultEntry
  | CallEntry
  | AnswerEntry
  | DeliveredEntry
  | TurnEntry
  | TurnEndEntry
  | FinishedEntry
  | QueryEntry
  | OwnershipEntry
  | CommitEntry
  | PublishedEntry
  | DeadLetterEntry
  | StoredEntry
  | EndEntry;

interface Moment {
  readonly at: number;
}

/** The first entry: what the simulation is made of. */
export interface WorldEntry extends Moment {
  readonly kind: "world";
  readonly seed: number;
  readonly nodes: number;
  readonly sinks: readonly { readonly name: string; readonly accepts: string }[];
  /** Mailbox limits by actor type. */
  readonly mailboxes: Readonly<Record<string, number>>;
  /** Messages that only read, as `type.message`. */
  readonly queries: readonly string[];
}

export interface NodeEntry extends Moment {
  readonly kind: "node";
  readonly node: string;
  readonly event: "starting" | "started" | "paused" | "resumed" | "stopping" | "stopped" | "crashed";
}

/** Something that was made to go wrong. The checker looks only at `transport-repeat`, whose detail is the message id. */
export interface FaultEntry extends Moment {
  readonly kind: "fault";
  readonly fault: string;
  readonly detail: string;
}

/** A client asks. */
export interface CallEntry extends Moment {
  readonly kind: "call";
  readonly call: number;
  readonly node: string;
  readonly actor: string;
  readonly message: string;
  readonly input: string | null;
  readonly id: string | null;
}

/** `unknown`: the node died, nobody will ever tell. */
export type CallOutcome =
  | { readonly kind: "ok"; readonly reply: string | null }
  | { readonly kind: "error"; readonly code: string }
  | { readonly kind: "unknown" };

/** The node answers a call. */
export interface AnswerEntry extends Moment {
  readonly kind: "answer";
  readonly call: number;
  readonly actor: string;
  readonly outcome: CallOutcome;
}

/** A message was handed to its actor; `depth` messages wait in the mailbox after it. */
export interface DeliveredEntry extends Moment {
  readonly kind: "delivered";
  readonly node: string;
  readonly actor: string;
  readonly message: string;
  readonly depth: number;
}

/** A turn begins, on this state. */
export interface TurnEntry extends Moment {
  readonly kind: "turn";
  readonly turn: number;
  readonly node: string;
  readonly actor: string;
  readonly message: string;
  readonly state: string | null;
}

export interface TurnEndEntry extends Moment {
  readonly kind: "turn-end";
  readonly turn: number;
  readonly actor: string;
  readonly outcome: "done" | "refused" | "failed";
}

/** A timer as a turn or commit wrote it; `dueAt: null` removes it. By the clock of the node. */
export interface TimerEntry {
  readonly name: string;
  readonly dueAt: number | null;
}

/** A turn ended well and left something to commit. */
export interface FinishedEntry extends Moment {
  readonly kind: "finished";
  readonly turn: number;
  readonly node: string;
  readonly actor: string;
  readonly message: string;
  readonly version: number;
  /** The state and version are those before it, and its commit does not write them; absent where it made a version. */
  readonly unchanged?: true;
  readonly state: string | null;
  /** The message id, where the message carried one. */
  readonly id: string | null;
  /** The client's call it answers, if it is one. */
  readonly call: number | null;
  /** The timer it handles, if it is one; `now` is what the turn took for the time. */
  readonly timer: { readonly name: string; readonly dueAt: number; readonly now: number } | null;
  readonly effects: readonly string[];
  readonly timers: readonly TimerEntry[];
}

/** A query was answered from this state; the answer may still wait at the output gate. */
export interface QueryEntry extends Moment {
  readonly kind: "query";
  readonly node: string;
  readonly actor: string;
  readonly message: string;
  readonly state: string | null;
  readonly reply: string | null;
}

/** The store gave a partition to a node under an epoch, or (`node: null`) took it back. */
export interface OwnershipEntry extends Moment {
  readonly kind: "ownership";
  readonly node: string | null;
  readonly partition: number;
  readonly epoch: number;
}

export interface RecordEntry {
  readonly partition: number;
  readonly seq: number;
  readonly kind: string;
  readonly id: string;
  readonly name: string;
  readonly actor: string;
  readonly target: string;
  readonly body: string;
}

/**
 * What became of a commit at the store. `applied`: written. `fenced`, `refused`: not written. `unknown`: the node is not
 * told; when it is written all the same, an entry `applied` follows.
 */
export interface CommitEntry extends Moment {
  readonly kind: "commit";
  readonly node: string;
  readonly outcome: "applied" | "fenced" | "refused" | "unknown";
  readonly fences: readonly { readonly partition: number; readonly epoch: number; readonly lastSeq: number }[];
  readonly states: readonly { readonly actor: string; readonly version: number; readonly state: string | null }[];
  /** The turns in it that made no version; what they left beside a state is below. */
  readonly unchanged?: readonly number[];
  readonly replies: readonly { readonly actor: string; readonly id: string; readonly reply: string | null }[];
  /** Message ids that were refused: the refusal is kept as their answer. */
  readonly refusals?: readonly { readonly actor: string; readonly id: string }[];
  readonly outbox: readonly RecordEntry[];
  readonly timers: readonly (TimerEntry & { readonly actor: string })[];
}

/** A sink took a record. */
export interface PublishedEntry extends Moment {
  readonly kind: "published";
  readonly sink: string;
  readonly node: string;
  readonly record: RecordEntry;
}

/** Something will not be tried again by itself. */
export interface DeadLetterEntry extends Moment {
  readonly kind: "dead-letter";
  readonly id: string;
  readonly target: string;
}

/** What the store holds of an actor in the end. */
export interface StoredEntry extends Moment {
  readonly kind: "stored";
  readonly actor: string;
  readonly version: number;
  readonly state: string | null;
}

/** The last entry. `waiting` says what had not come to rest long after the last fault; empty when all is well. */
export interface EndEntry extends Moment {
  readonly kind: "end";
  /** The store's clock. */
  readonly now: number;
  readonly waiting: readonly string[];
}

/** What happened in a simulation, in order: what {@link checkHistory} judges. */
export type History = readonly HistoryEntry[];
