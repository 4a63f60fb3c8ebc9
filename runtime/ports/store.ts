import type {
  ActorId,
  BegunMessage,
  LoadedActor,
  ActorRow,
  StateWrite,
  ReplyKey,
  StoredReply,
  JournalRecord,
  TimerRow,
  TimerPlace,
  TimerWrite,
  PausedActor,
  PauseWrite,
} from "./actor-rows.ts";
import type { DeadLetter, DeadLetterStore } from "./dead-letters.ts";
import type { IndexWrite, IndexQuery, IndexedFields, IndexFill } from "./indexing.ts";
import type { OutboxKind, OutboxRecord, KnownSink, CursorRow } from "./outbox.ts";
import type { NodeId, Fence, Grant, Ownership, NodeInfo, NodeRow, NodeContracts } from "./ownership.ts";

export type * from "./actor-rows.ts";
export { SENT_IDS } from "./actor-rows.ts";
export type * from "./dead-letters.ts";
export type * from "./indexing.ts";
export type * from "./outbox.ts";
export type * from "./ownership.ts";

/**
 * The store port: one database in which a set of actor types lives. Implemented by `memory()` here, by `postgresStore(url)`
 * in `infra/postgres` and by `sqlite(path)` in `infra/sqlite`; `runtime/testing/store-conformance.ts` is run by each.
 *
 * Times are milliseconds since the epoch. JSON travels as text, so that what was written is read back to the byte. Names,
 * keys and index values are ordered by their UTF-8 bytes, the same in every store.
 */
export interface Store extends DeadLetterStore {
  readonly name: string;
  /** How many partitions it has, numbered from 0. Chosen when the store is made, and the same for ever; valid once it is open. */
  readonly partitions: number;

  /**
   * Creates what is missing (tables, partition rows), under a lock: several nodes may call it at once.
   * @throws {PartitionsDifferError} it is asked for another number of partitions than the store was made with.
   */
  open(): Promise<void>;
  close(): Promise<void>;
  /** Resolves when the store answers. */
  check(): Promise<void>;

  /**
   * Renews the node's lease in the store's own time, and lists who owns what. `info` replaces what the node said of
   * itself; without one, that stays. A lease of 0 ms ends it.
   */
  heartbeat(node: NodeId, leaseMs: number, info?: NodeInfo): Promise<readonly Ownership[]>;
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

/** A store was asked for another number of partitions than it was made with. Nothing was changed. */
export class PartitionsDifferError extends Error {
  override readonly name = "PartitionsDifferError";
  /** What the store was made with. */
  readonly partitions: number;

  constructor(store: string, partitions: number, asked: number) {
    super(
      `Cannot open the store ${store} with ${asked} partitions as it was made with ${partitions}: ask for ${partitions} or for none, or start with an empty store`,
    );
    this.partitions = partitions;
  }
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
