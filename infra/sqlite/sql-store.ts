import {
  type ActorId,
  type ActorRow,
  type BegunMessage,
  type CommitBatch,
  CommitRefusedError,
  checkedPartitions,
  type CursorRow,
  type DeadLetter,
  type DeadLetterChange,
  type DeadLetterCount,
  type DeadLetterFilter,
  type DeadLetterSummary,
  type DeadLetterWindow,
  type Fence,
  FencedError,
  type Grant,
  type IndexedFields,
  type IndexFill,
  type IndexQuery,
  type JournalRecord,
  type KnownSink,
  type LoadedActor,
  type NodeInfo,
  type NodeContracts,
  type NodeId,
  type NodeRow,
  type OutboxKind,
  type OutboxRecord,
  type Ownership,
  PARTITION_COUNT,
  PartitionsDifferError,
  type PausedActor,
  type Store,
  type StoredDeadLetter,
  type ReplyKey,
  type StoredReply,
  type TimerPlace,
  type TimerRow,
} from "#runtime";
import { findReply, listActors, loadActor, pruneReplies } from "./actors.ts";
import { pruneBegun, saveBegun, selectBegun } from "./begun.ts";
import { choosePartitions } from "./chosen-partitions.ts";
import { checkFences, writeBatch } from "./commit.ts";
import type { SqlDatabase } from "./database.ts";
import {
  countDeadLetters,
  claimDeadLetterKeys,
  deleteDeadLetters,
  insertDeadLetters,
  keysWithDeadLetters,
  lastDeadLetter,
  selectDeadLetter,
  selectDeadLetters,
  summarizeDeadLetters,
  updateDeadLetter,
  releaseDeadLetterKeys,
} from "./dead-letters.ts";
import { fillIndex, indexedFields, where } from "./index-queries.ts";
import { readHistory, readJournal } from "./journal.ts";
import { forgetNodes, readContracts, readNodes, writeNode } from "./nodes.ts";
import { pruneOutbox, readOutbox } from "./outbox.ts";
import { acquirePartitions, ownerships, releasePartitions, settlePartitions } from "./partitions.ts";
import { forgetSinks, oldestAhead, readCursors, registerSinks, saveCursors } from "./sinks.ts";
import { dueTimers, timersOf } from "./timers.ts";

const DAY_MS = 86_400_000;

/** The store on a SQLite database, wherever that is. */
export class SqlStore implements Store {
  readonly name: string;
  readonly #open: () => Promise<SqlDatabase>;
  readonly #asked: number | undefined;
  #partitions: number;
  #opened: SqlDatabase | undefined;

  /**
   * @param open opens the database, its schema up to date.
   * @param partitions how many the store is to have. Default: as many as it has, 64 where it is new.
   * @throws {RangeError} a number of partitions that no store can have.
   */
  constructor(name: string, open: () => Promise<SqlDatabase>, partitions?: number) {
    this.name = name;
    this.#open = open;
    this.#asked = partitions;
    this.#partitions = checkedPartitions(partitions ?? PARTITION_COUNT);
  }

  get partitions(): number {
    return this.#partitions;
  }

  async open(): Promise<void> {
    this.#opened ??= await this.#open();
    const partitions = choosePartitions(this.#file, this.#asked);
    if (this.#asked !== undefined && this.#asked !== partitions) {
      await this.close();
      throw new PartitionsDifferError(this.name, partitions, this.#asked);
    }
    this.#partitions = partitions;
  }

  async close(): Promise<void> {
    this.#opened?.close();
    this.#opened = undefined;
  }

  async check(): Promise<void> {
    this.#file.get("select 1 from partitions");
  }

  async heartbeat(node: NodeId, leaseMs: number, info?: NodeInfo): Promise<readonly Ownership[]> {
    const now = Date.now();
    return this.#file.write(() => {
      writeNode(this.#file, { id: node, now, expires: now + leaseMs, info });
      return ownerships(this.#file, now);
    });
  }

  async nodes(): Promise<readonly NodeRow[]> {
    return readNodes(this.#file, Date.now());
  }

  async contracts(): Promise<readonly NodeContracts[]> {
    return readContracts(this.#file, Date.now());
  }

  async acquire(node: NodeId, partitions?: readonly number[]): Promise<readonly Grant[]> {
    return this.#file.write(() => acquirePartitions(this.#file, node, Date.now(), partitions));
  }

  async release(node: NodeId, partitions: readonly Fence[]): Promise<void> {
    this.#file.write(() => releasePartitions(this.#file, node, partitions));
  }

  async settle(node: NodeId, partitions: readonly Fence[]): Promise<readonly Grant[]> {
    return this.#file.write(() => settlePartitions(this.#file, node, partitions));
  }

  async load(actors: readonly ActorId[]): Promise<readonly LoadedActor[]> {
    return this.#file.read(() => actors.map((actor) => loadActor(this.#file, actor)));
  }

  async findReplies(asked: readonly ReplyKey[]): Promise<readonly (StoredReply | undefined)[]> {
    return asked.map((reply) => findReply(this.#file, reply));
  }

  async list(
    type: string,
    page: { readonly limit: number; readonly after: string | undefined },
  ): Promise<readonly ActorRow[]> {
    return listActors(this.#file, type, page);
  }

  async where(query: IndexQuery): Promise<readonly ActorRow[] | undefined> {
    return where(this.#file, query, this.#partitions);
  }

  async indexedFields(partitions: readonly number[]): Promise<readonly IndexedFields[]> {
    return indexedFields(this.#file, partitions);
  }

  async fillIndex(node: NodeId, fences: readonly Fence[], fill: IndexFill): Promise<void> {
    this.#file.write(() => {
      checkFences(this.#file, node, fences);
      fillIndex(
        this.#file,
        fences.map(({ partition }) => partition),
        fill,
      );
    });
  }

  async commit(node: NodeId, batch: CommitBatch): Promise<void> {
    this.#file.write(() => {
      try {
        writeBatch(this.#file, node, batch);
      } catch (error) {
        if (error instanceof FencedError) throw error;
        // The transaction has not come to its end, and is rolled back.
        throw new CommitRefusedError("The database refused the commit", { cause: error });
      }
    });
  }

  async timers(
    partitions: readonly number[],
    before: number,
    limit: number,
    after?: TimerPlace,
  ): Promise<readonly TimerRow[]> {
    return dueTimers(this.#file, partitions, before, limit, after);
  }

  async timersOf(actor: ActorId): Promise<readonly TimerRow[]> {
    return timersOf(this.#file, actor);
  }

  async paused(partitions: readonly number[]): Promise<readonly PausedActor[]> {
    return this.#file.all<PausedActor>(
      `select type, key, partition, since_ms as since, reason from paused_actors
       where partition in (select value from json_each(?))`,
      JSON.stringify(partitions),
    );
  }

  async readJournal(
    actors: readonly (ActorId & { readonly after: number })[],
    limit: number,
  ): Promise<readonly JournalRecord[]> {
    return actors.flatMap((actor) => readJournal(this.#file, actor, limit));
  }

  async readHistory(
    type: string,
    positions: readonly { readonly partition: number; readonly after: number }[],
    limit: number,
  ): Promise<readonly OutboxRecord[]> {
    return positions.flatMap((position) => readHistory(this.#file, type, position, limit));
  }

  async cursors(partitions: readonly number[]): Promise<readonly CursorRow[]> {
    return readCursors(this.#file, partitions);
  }

  async saveCursors(cursors: readonly CursorRow[]): Promise<void> {
    this.#file.write(() => saveCursors(this.#file, cursors));
  }

  async readOutbox(
    kind: OutboxKind,
    positions: readonly { readonly partition: number; readonly after: number }[],
    limit: number,
  ): Promise<readonly OutboxRecord[]> {
    return positions.flatMap((position) => readOutbox(this.#file, kind, position, limit));
  }

  async registerSinks(sinks: readonly KnownSink[], at: number): Promise<void> {
    this.#file.write(() => registerSinks(this.#file, sinks, at));
  }

  async forgetSinks(before: number): Promise<readonly string[]> {
    return this.#file.write(() => forgetSinks(this.#file, before));
  }

  async oldestAhead(sink: string, kind: OutboxKind): Promise<number | undefined> {
    return oldestAhead(this.#file, sink, kind);
  }

  async pruneOutbox(partitions: readonly number[], before: number, limit: number): Promise<number> {
    return this.#file.write(() => pruneOutbox(this.#file, partitions, before, limit));
  }

  async pruneReplies(before: number, sentBefore: number, limit: number): Promise<number> {
    return this.#file.write(() => {
      forgetNodes(this.#file, Date.now() - DAY_MS);
      return pruneReplies(this.#file, before, sentBefore, limit);
    });
  }

  async begun(partitions: readonly number[]): Promise<readonly BegunMessage[]> {
    return this.#file.read(() => selectBegun(this.#file, partitions));
  }

  async saveBegun(messages: readonly BegunMessage[]): Promise<void> {
    this.#file.write(() => saveBegun(this.#file, messages));
  }

  async pruneBegun(before: number): Promise<void> {
    this.#file.write(() => pruneBegun(this.#file, before));
  }

  async recordDeadLetters(letters: readonly DeadLetter[]): Promise<void> {
    this.#file.write(() => insertDeadLetters(this.#file, letters));
  }

  async deadLetters(filter: DeadLetterFilter, page: DeadLetterWindow): Promise<readonly StoredDeadLetter[]> {
    return selectDeadLetters(this.#file, filter, page);
  }

  async deadLetter(id: string): Promise<StoredDeadLetter | undefined> {
    return selectDeadLetter(this.#file, id);
  }

  async lastDeadLetter(): Promise<number> {
    return lastDeadLetter(this.#file);
  }

  async keysWithDeadLetters(
    filter: DeadLetterFilter,
    keys: readonly string[],
    upTo: number,
  ): Promise<readonly string[]> {
    return keysWithDeadLetters(this.#file, filter, keys, upTo);
  }

  async countDeadLetters(): Promise<readonly DeadLetterCount[]> {
    return countDeadLetters(this.#file);
  }

  async summarizeDeadLetters(filter: DeadLetterFilter): Promise<readonly DeadLetterSummary[]> {
    return summarizeDeadLetters(this.#file, filter);
  }

  async amendDeadLetter(id: string, was: string, change: DeadLetterChange): Promise<boolean> {
    return this.#file.write(() => updateDeadLetter(this.#file, id, was, change));
  }

  async claimDeadLetterKeys(keys: readonly string[], owner: string, forMs: number): Promise<readonly string[]> {
    return this.#file.write(() => claimDeadLetterKeys(this.#file, keys, owner, forMs));
  }

  async releaseDeadLetterKeys(keys: readonly string[], owner: string): Promise<void> {
    this.#file.write(() => releaseDeadLetterKeys(this.#file, keys, owner));
  }

  async removeDeadLetters(ids: readonly string[]): Promise<number> {
    return this.#file.write(() => deleteDeadLetters(this.#file, ids));
  }

  get #file(): SqlDatabase {
    if (this.#opened === undefined) throw new Error(`Cannot use the store ${this.name} as it is not open`);
    return this.#opened;
  }
}
