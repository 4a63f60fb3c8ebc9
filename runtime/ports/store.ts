import type { DeadLetter, DeadLetterStore } from "./dead-letters.ts";

export type {
  DeadLetter,
  DeadLetterChange,
  DeadLetterCount,
  DeadLetterEdit,
  DeadLetterFilter,
  DeadLetterReason,
  DeadLetterStore,
  DeadLetterSummary,
  DeadLetterWindow,
  StoredDeadLetter,
} from "./dead-letters.ts";

/**
 * The store port: one database in which a set of actor types lives. Implemented by `memory()` here, by `postgresStore(url)`
 * in `infra/postgres` and by `sqlite(path)` in `infra/sqlite`; `runtime/testing/store-conformance.ts` is run by each.
 *
 * Times are milliseconds since the epoch. JSON travels as text, so that what was written is read back to the byte. Names,
 * keys and index values are ordered by their UTF-8 bytes, the same in every store.
 */
export interface Store extends DeadLetterStore {
  readonly name: string;

  /** Creates what is missing (tables, partition rows), under a lock: several nodes may call it at once. */
  open(): Promise<void>;
  close(): Promise<void>;
  /** Resolves when the store answers. */
  check(): Promise<void>;

  /**
   * Renews the node's lease in the store's own time, and lists who owns what. `card` replaces what the node said of
   * itself; without one, that stays. A lease of 0 ms ends it.
   */
  heartbeat(node: NodeId, leaseMs: number, card?: NodeCard): Promise<readonly Ownership[]>;
  /** The nodes whose lease has not run out, in order of their id. */
  nodes(): Promise<readonly NodeRow[]>;
  /** The `contracts` of those of them that gave any. Read when a node starts. */
  contracts(): Promise<readonly NodeContracts[]>;
  /**
   * Takes every partition that nobody holds or whose holder's lease has run out, and raises its epoch; of the given ones
   * only, where some are given.
   */
  acquire(node: NodeId, partitions?: readonly number[]): Promise<readonly Grant[]>;
  /** Gives partitions back; those the node no longer holds are left alone. */
  release(node: NodeId, partitions: readonly Fence[]): Promise<void>;
  /**
   * Raises the epoch of partitions this node holds and reads what is committed. After it no straggling commit under
   * the old epoch can land: it settles a commit whose outcome is unknown. The epochs given may be old themselves, as when
   * the answer to an earlier `settle` was lost.
   */
  settle(node: NodeId, partitions: readonly Fence[]): Promise<readonly Grant[]>;

  /** The stored state of each address, in the order asked; `undefined` where there is none. */
  load(addresses: readonly ActorId[]): Promise<readonly LoadedActor[]>;
  /** The stored reply of each message id, in the order asked; `undefined` where there is none. */
  findReplies(asked: readonly ReplyKey[]): Promise<readonly (StoredReply | undefined)[]>;
  /** Actors of a type in order of their key, after `after`. */
  list(
    type: string,
    page: { readonly limit: number; readonly after: string | undefined },
  ): Promise<readonly ActorRow[]>;

  /**
   * Actors of a type that meet every condition, in order of their key, after `after`.
   * @returns `undefined` unless the index of every partition is complete for exactly these `fields`.
   */
  where(query: IndexQuery): Promise<readonly ActorRow[] | undefined>;
  /** For which fields the index of a type is complete in each of the partitions; a pair without a row has none. */
  indexedFields(partitions: readonly number[]): Promise<readonly IndexedFields[]>;
  /**
   * Index work that belongs to no turn, under the fences of the partitions it concerns. Several at once only while none
   * of them is in use, as it would wait for commits that wait for it.
   * @throws {FencedError} a partition is no longer held under the given epoch; nothing was written.
   */
  fillIndex(node: NodeId, fences: readonly Fence[], fill: IndexFill): Promise<void>;

  /**
   * Writes many turns at once, or nothing.
   * @throws {FencedError} a partition is no longer held under the given epoch; nothing was written.
   * @throws {CommitRefusedError} the store itself said no, to something in the batch; nothing was written.
   * @throws any other error, {@link OutcomeUnknownError} among them: it may have been written all the same; call `settle` to
   * learn the outcome.
   */
  commit(node: NodeId, batch: CommitBatch): Promise<void>;

  /**
   * Timers of the partitions due before `before`, in the order of their due time, type, key and name, behind `after`. Those
   * of paused actors are left out.
   */
  timers(
    partitions: readonly number[],
    before: number,
    limit: number,
    after?: TimerPlace,
  ): Promise<readonly TimerRow[]>;
  /** All timers of one actor, in order of their name. */
  timersOf(actor: ActorId): Promise<readonly TimerRow[]>;

  /** The paused actors of the partitions. */
  paused(partitions: readonly number[]): Promise<readonly PausedActor[]>;

  /** Journal rows of each actor behind `after`, in order, at most `limit` per actor; the actors in the order asked. */
  readJournal(
    actors: readonly (ActorId & { readonly after: number })[],
    limit: number,
  ): Promise<readonly JournalRecord[]>;
  /**
   * Journaled events of a type behind each position, as they were in the outbox, in sequence order within a partition, at
   * most `limit` per partition. Unlike the outbox the journal is never pruned.
   */
  readHistory(
    type: string,
    positions: readonly { readonly partition: number; readonly after: number }[],
    limit: number,
  ): Promise<readonly OutboxRecord[]>;

  /** How far each sink has got in each of the partitions; a pair without a row is at 0. */
  cursors(partitions: readonly number[]): Promise<readonly CursorRow[]>;
  /** Moves cursors forward. A cursor never moves back. */
  saveCursors(cursors: readonly CursorRow[]): Promise<void>;
  /**
   * Outbox records of a kind behind each position, in sequence order within a partition. Where there are `limit` in a
   * partition at least that many come, and few more; fewer mean that there are no others.
   */
  readOutbox(
    kind: OutboxKind,
    positions: readonly { readonly partition: number; readonly after: number }[],
    limit: number,
  ): Promise<readonly OutboxRecord[]>;
  /** Says which sinks a node has at `at`: what one of them has not passed is kept, whichever node prunes. */
  registerSinks(sinks: readonly KnownSink[], at: number): Promise<void>;
  /** Forgets the sinks that no node has registered since `before`, with their cursors. Returns their names. */
  forgetSinks(before: number): Promise<readonly string[]>;
  /** When the oldest record of a kind was made that a sink has not passed, in any partition; `undefined`: it has passed all. */
  oldestAhead(sink: string, kind: OutboxKind): Promise<number | undefined>;
  /**
   * Deletes outbox records of the partitions that all registered sinks of their kind have passed and that are older than
   * `before`; those of a kind without a sink are kept. About `limit` rows at a time: returns how many records went, and none
   * when nothing is left.
   */
  pruneOutbox(partitions: readonly number[], before: number, limit: number): Promise<number>;
  /**
   * Deletes stored replies older than `before`, at most `limit`; those to sends, and to what was asked in a turn, only if they
   * are older than `sentBefore` too. Returns how many went.
   */
  pruneReplies(before: number, sentBefore: number, limit: number): Promise<number>;
  /** Messages to actors of the partitions that were begun and not seen to end. Read after a node has died only. */
  begun(partitions: readonly number[]): Promise<readonly BegunMessage[]>;
  /** Writes down how often each was begun, whatever stood there; a count of 0 forgets the message. */
  saveBegun(messages: readonly BegunMessage[]): Promise<void>;
  /** Forgets those that were begun last before `before`. */
  pruneBegun(before: number): Promise<void>;
  /** Keeps what will not be tried again by itself. Recording the same id twice keeps the first. */
  recordDeadLetters(letters: readonly DeadLetter[]): Promise<void>;
}

/** The name of a running node, unique among those that share a store. */
export type NodeId = string;

/** Which actor, as the store keeps it. */
export interface ActorId {
  readonly type: string;
  readonly key: string;
}

/** Proof of ownership that a write must show. */
export interface Fence {
  readonly partition: number;
  readonly epoch: number;
}

/** A partition this node holds, with what is committed in it. */
export interface Grant extends Fence {
  /** Raised by one with every commit that touches the partition. */
  readonly commitSeq: number;
  /** The last outbox sequence number. */
  readonly lastSeq: number;
  /** Whether it was taken from a node that had not given it back: that may have ended in the middle of anything. */
  readonly abandoned?: boolean;
}

/** Who holds a partition, as far as the store knows. `undefined`: nobody, or the lease has run out. */
export interface Ownership {
  readonly partition: number;
  readonly owner: NodeId | undefined;
  readonly epoch: number;
}

/** What a node says of itself to the others. */
export interface NodeCard {
  /** Where it serves people, as in `http://10.0.0.4:3000`; `undefined` where it does not. */
  readonly address: string | undefined;
  /** Whether it takes partitions of this store; a node that only routes, or is about to leave, does not. */
  readonly owns: boolean;
  /** The actor types of this store that it knows. */
  readonly types: readonly string[];
  /** How long its leases are, in milliseconds. */
  readonly leaseMs: number;
  /** The contracts of those types, as text that whoever wrote it can read. Kept where it is not given. */
  readonly contracts?: string;
}

/** A node with a lease. `card` is `undefined` for a node of an older version. */
export interface NodeRow {
  readonly id: NodeId;
  readonly card: Omit<NodeCard, "contracts"> | undefined;
  /** When it first renewed its lease. */
  readonly since: number;
  /** How long its lease is still good. */
  readonly leaseLeftMs: number;
}

/** What a node said of its messages, events and states. */
export interface NodeContracts {
  readonly node: NodeId;
  readonly contracts: string;
}

/** An actor as it was committed last; `state` is `undefined` for one that was never written, or destroyed. */
export interface LoadedActor {
  readonly state: string | undefined;
  /** Turns committed so far. */
  readonly version: number;
  /** The schema version the state was written with; 1 where none was given. */
  readonly schemaVersion: number;
  /** The newest stored replies. */
  readonly replies: readonly StoredReply[];
  /** Whether `replies` are all there are: then an id that is not among them is new. */
  readonly repliesComplete: boolean;
}

/** A committed actor in a listing; `state` is JSON. */
export interface ActorRow {
  readonly key: string;
  readonly state: string;
  readonly version: number;
  /** The schema version the state was written with; 1 where none was given. */
  readonly schemaVersion: number;
}

/** What a reply is stored under. */
export interface ReplyKey extends ActorId {
  /** Of the message. */
  readonly id: string;
}

/** A message to an actor whose turn was begun `count` times, last at `at`, and is not known to have ended. */
export interface BegunMessage extends ReplyKey {
  readonly partition: number;
  readonly count: number;
  readonly at: number;
}

/** The once-only record of a handled message. */
export interface StoredReply {
  readonly id: string;
  /** A hash of message name and input: the same id with another hash is misuse. */
  readonly hash: string;
  /** The reply as JSON; `undefined` for an empty one. */
  readonly reply: string | undefined;
}

/** Everything a batch of turns writes. A row that several turns wrote appears once, with the last value. */
export interface CommitBatch {
  readonly fences: readonly (Fence & { readonly lastSeq: number })[];
  readonly states: readonly StateWrite[];
  readonly replies: readonly (ActorId & StoredReply & { readonly partition: number; readonly at: number })[];
  readonly outbox: readonly OutboxRecord[];
  readonly timers: readonly TimerWrite[];
  /** Every indexed field of each actor whose indexed values changed; also of those destroyed. */
  readonly index: readonly IndexWrite[];
  /** What journaled actors emitted; absent when none did. */
  readonly journal?: readonly JournalRecord[];
  /** Actors paused and resumed. */
  readonly pauses?: readonly PauseWrite[];
}

/** One event of a journaled actor, kept for ever. */
export interface JournalRecord extends ActorId {
  readonly partition: number;
  /** Contiguous per actor, from 1. */
  readonly seq: number;
  /** The `seq` of the event's outbox record; 0 for a row that is no event (`$destroyed`). */
  readonly position: number;
  readonly id: string;
  /** The event type, or `$destroyed`. */
  readonly name: string;
  /** The event's data as JSON. */
  readonly data: string;
  readonly at: number;
  readonly traceparent: string | undefined;
}

/** The state of an actor after a turn, as JSON. */
export interface StateWrite extends ActorId {
  readonly partition: number;
  readonly version: number;
  /** `undefined` deletes the actor. */
  readonly state: string | undefined;
  /** For types with schema versions. None: 1 for a new row; an old one stays at 1, as no other is ever read by such a type. */
  readonly schemaVersion?: number | undefined;
}

/** A timer that is set: the command `message` with `input`, as JSON, is due at `dueAt`. */
export interface TimerRow extends ActorId {
  readonly partition: number;
  readonly name: string;
  readonly dueAt: number;
  readonly message: string;
  readonly input: string | undefined;
  /** When it comes again, as JSON; `undefined` for a timer that fires once. */
  readonly schedule?: string | undefined;
}

/** Where a timer stands in the order of due timers. */
export type TimerPlace = Pick<TimerRow, "dueAt" | "type" | "key" | "name">;

/** A timer set, or with `dueAt: undefined` removed. */
export type TimerWrite =
  | TimerRow
  | (ActorId & { readonly partition: number; readonly name: string; readonly dueAt: undefined });

/** The value of one indexed field. */
export interface FieldValue {
  readonly field: string;
  /** As `index-value.ts` encodes it: text without NUL whose bytes have the order of the values. `undefined`: none. */
  readonly value: string | undefined;
}

/** An indexed value of an actor, to be kept, or with `value: undefined` removed. */
export interface IndexWrite extends ActorId, FieldValue {
  readonly partition: number;
}

/** One of these values, or a value from `from` on and before `before`. */
export type IndexCondition =
  | { readonly field: string; readonly values: readonly string[] }
  | { readonly field: string; readonly from: string; readonly before: string };

/** A page of a type's actors whose indexed values meet conditions. */
export interface IndexQuery {
  readonly type: string;
  /** The fields that the index must be complete for, sorted. */
  readonly fields: readonly string[];
  /** At least one; all must hold. */
  readonly conditions: readonly IndexCondition[];
  readonly limit: number;
  readonly after: string | undefined;
}

/** The fields, sorted, that the index of a type holds in a partition. */
export interface IndexedFields {
  readonly type: string;
  readonly partition: number;
  readonly fields: readonly string[];
}

/** Index values of actors that were stored before their fields were indexed. */
export interface IndexFill {
  readonly type: string;
  /** Values of actors as they were read, all of one partition, given alone. An actor whose stored state is no longer `state` is left out: a turn wrote it. */
  readonly actors: readonly { readonly key: string; readonly state: string; readonly values: readonly FieldValue[] }[];
  /**
   * The fields, sorted, that the index of the type is complete for from now on in these partitions: values of other
   * fields, and of actors that are gone, are removed. `undefined`: it is not complete.
   */
  readonly complete: readonly string[] | undefined;
}
/** Why an actor is paused, and since when (milliseconds since the epoch). */
export interface Pause {
  readonly since: number;
  readonly reason: string;
}

/** An actor that takes no commands, timers or sends until it is resumed. */
export interface PausedActor extends ActorId, Pause {
  readonly partition: number;
}

/** An actor paused, or with `since: undefined` resumed. */
export type PauseWrite = PausedActor | (ActorId & { readonly partition: number; readonly since: undefined });

/**
 * `event`: for the brokers. `send`: for another actor. `workflow`: for Temporal. `broadcast`: for a topic's followers.
 * `routed`: for the place that the record itself names.
 */
export type OutboxKind = "event" | "send" | "workflow" | "broadcast" | "routed";

/** One row of the outbox: something that leaves the actor after the commit. */
export interface OutboxRecord {
  readonly partition: number;
  /** Contiguous per partition, from 1. */
  readonly seq: number;
  readonly kind: OutboxKind;
  /** Unique for ever; what consumers recognise a repeat by. For events the CloudEvents id (`evt_…`). */
  readonly id: string;
  /** Event type; message name; `start`, `signal` or `signalWithStart`; type of the broadcast. */
  readonly name: string;
  /** The actor that emitted it. */
  readonly actor: ActorId;
  /** What the order is kept by: the actor's key for events, the target's address for sends, the workflow id, the topic; what the actor said for routed records. */
  readonly target: string;
  /** JSON: the data of the event, broadcast or routed record, the message's input, the workflow request ({@link WorkflowRequest}). */
  readonly body: string;
  readonly at: number;
  readonly traceparent: string | undefined;
}

/** The body of a `workflow` record, parsed. `id` is the record's `target`. */
export interface WorkflowRequest {
  readonly start?: {
    readonly type: string;
    readonly taskQueue: string;
    readonly args: readonly unknown[];
    readonly searchAttributes?: Readonly<Record<string, string>>;
    readonly memo?: Readonly<Record<string, unknown>>;
  };
  readonly signal?: { readonly name: string; readonly args: readonly unknown[] };
}

/** A sink, and what it accepts. */
export interface KnownSink {
  readonly name: string;
  readonly kind: OutboxKind;
}

/** Replies under ids that begin so are kept until what they answer is acknowledged, however long that takes. */
export const SENT_IDS = ["msg_", "ask_"] as const;

/** How far a sink has got in a partition: everything up to `seq` was acknowledged. */
export interface CursorRow {
  readonly sink: string;
  readonly partition: number;
  readonly seq: number;
}

/** The partition is held by another node, or under another epoch. */
export class FencedError extends Error {
  override readonly name = "FencedError";
}

/** The store answered the commit with a refusal of its own (a value it cannot keep, no space): nothing was written. */
export class CommitRefusedError extends Error {
  override readonly name = "CommitRefusedError";
}

/** The commit was sent, but no answer came: it may or may not have happened. */
export class OutcomeUnknownError extends Error {
  override readonly name = "OutcomeUnknownError";
}
