import postgres from "postgres";
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
  type Log,
  type NodeInfo,
  type NodeContracts,
  type NodeId,
  type NodeRow,
  type OutboxKind,
  type OutboxRecord,
  OutcomeUnknownError,
  PARTITION_COUNT,
  PartitionsDifferError,
  type Ownership,
  type PausedActor,
  type Store,
  type StoredDeadLetter,
  type ReplyKey,
  type StoredReply,
  type TimerPlace,
  type TimerRow,
} from "#runtime";
import { findReplies, listActors, loadActors, pausedActors } from "./actors.ts";
import { pruneBegun, saveBegun, selectBegun } from "./begun.ts";
import { commitStatement, isKnownReply } from "./commit.ts";
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
import { FencePlaces } from "./fence-places.ts";
import { fillIndex, indexedFields, where } from "./index-queries.ts";
import { readHistory, readJournal } from "./journal.ts";
import { migrate } from "./migrate.ts";
import { readCursors, readOutbox, saveCursors } from "./outbox.ts";
import {
  acquirePartitions,
  contractsOfNodes,
  heartbeat,
  liveNodes,
  releasePartitions,
  settlePartitions,
} from "./ownership.ts";
import { choosePartitions } from "./partitions.ts";
import type { PoolUse } from "./pool-use.ts";
import { isRefusal, Pool } from "./pool.ts";
import { forgetSinks, oldestAhead, type PrunedReplies, pruneOutbox, pruneReplies, registerSinks } from "./retention.ts";
import { dueTimers, timersOf } from "./timers.ts";

/** Options of {@link postgresStore}; none is needed. */
export interface PostgresStoreOptions {
  /** How the store is called in logs and `/ready`. Default: the database's name. */
  readonly name?: string;
  readonly log?: Log;
  /** Connections at most. Default 6. */
  readonly max?: number;
  /**
   * How many partitions the store is made with, 64 to 1,024: about four times as many as the nodes and lanes that will ever share
   * it. For ever: a store that was made with others does not open. Default: as many as the store has, 64 for a new one.
   */
  readonly partitions?: number;
  /** Where it is kept how many of the connections are taken, for whoever counts it. */
  readonly use?: PoolUse;
}

/**
 * A store in a Postgres database (15 or newer; made for 18). `open` creates the database and applies the migrations.
 *
 * @throws {RangeError} a number of partitions that no store can have.
 *
 * @example
 * ```ts
 * const troupe = await createTroupe({ actors: [Counter], stores: { default: postgresStore("postgres://localhost/app") } });
 * ```
 */
export function postgresStore(url: string, options: PostgresStoreOptions = {}): Store {
  return new PostgresStore(url, options);
}

class PostgresStore implements Store {
  readonly name: string;
  readonly #url: string;
  readonly #pool: Pool;
  readonly #asked: number | undefined;
  #partitions: number;
  #places: FencePlaces;
  #pruned: PrunedReplies | undefined;

  constructor(url: string, { name, log, max, partitions, use }: PostgresStoreOptions) {
    this.#url = url;
    this.#asked = partitions;
    this.#partitions = checkedPartitions(partitions ?? PARTITION_COUNT);
    this.#places = new FencePlaces(this.#partitions);
    this.name = name ?? new URL(url).pathname.slice(1);
    this.#pool = new Pool(url, {
      indexed: true,
      ...(log && { log }),
      ...(max !== undefined && { max }),
      ...(use && { use }),
    });
  }

  get partitions(): number {
    return this.#partitions;
  }

  async open(): Promise<void> {
    await migrate(this.#url);
    const partitions = await this.#pool.run((sql) => choosePartitions(sql, this.#asked));
    if (this.#asked !== undefined && this.#asked !== partitions)
      throw new PartitionsDifferError(this.name, partitions, this.#asked);
    this.#partitions = partitions;
    this.#places = new FencePlaces(partitions);
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  async check(): Promise<void> {
    await this.#pool.run((sql) => sql`select 1`, 2_000);
  }

  heartbeat(node: NodeId, leaseMs: number, info?: NodeInfo): Promise<readonly Ownership[]> {
    return heartbeat(this.#pool, node, leaseMs, info);
  }

  nodes(): Promise<readonly NodeRow[]> {
    return liveNodes(this.#pool);
  }

  contracts(): Promise<readonly NodeContracts[]> {
    return contractsOfNodes(this.#pool);
  }

  acquire(node: NodeId, partitions?: readonly number[]): Promise<readonly Grant[]> {
    return acquirePartitions(this.#pool, node, partitions);
  }

  release(node: NodeId, partitions: readonly Fence[]): Promise<void> {
    return releasePartitions(this.#pool, node, partitions);
  }

  settle(node: NodeId, partitions: readonly Fence[]): Promise<readonly Grant[]> {
    return settlePartitions(this.#pool, node, partitions);
  }

  load(actors: readonly ActorId[]): Promise<readonly LoadedActor[]> {
    return loadActors(this.#pool, actors);
  }

  findReplies(asked: readonly ReplyKey[]): Promise<readonly (StoredReply | undefined)[]> {
    return findReplies(this.#pool, asked);
  }

  list(
    type: string,
    page: { readonly limit: number; readonly after: string | undefined },
  ): Promise<readonly ActorRow[]> {
    return listActors(this.#pool, type, page);
  }

  where(query: IndexQuery): Promise<readonly ActorRow[] | undefined> {
    return this.#pool.run((sql) => where(sql, query, this.#partitions));
  }

  indexedFields(partitions: readonly number[]): Promise<readonly IndexedFields[]> {
    return this.#pool.run((sql) => indexedFields(sql, partitions));
  }

  fillIndex(node: NodeId, fences: readonly Fence[], fill: IndexFill): Promise<void> {
    return this.#pool.run((sql) => fillIndex(sql, node, fences, fill), 60_000);
  }

  commit(node: NodeId, batch: CommitBatch): Promise<void> {
    return this.#commit(node, batch, false);
  }

  async #commit(node: NodeId, batch: CommitBatch, replaces: boolean): Promise<void> {
    const places = this.#places.of(batch.fences);
    try {
      const [committed] = await this.#pool.run((sql) => commitStatement(sql, node, batch, places, replaces));
      this.#places.learn(committed?.places);
    } catch (error) {
      this.#places.forget(batch.fences);
      if (error instanceof postgres.PostgresError && error.code === "TRF01") {
        // Nothing was written. The rows may only have moved: then they are found by their ids.
        if (places !== undefined) return this.#commit(node, batch, replaces);
        throw new FencedError(error.message, { cause: error });
      }
      // Nor was anything here.
      if (!replaces && isKnownReply(error)) return this.#commit(node, batch, true);
      if (isRefusal(error)) throw new CommitRefusedError("The database refused the commit", { cause: error });
      throw new OutcomeUnknownError("Cannot tell whether the commit happened", { cause: error });
    }
  }

  timers(
    partitions: readonly number[],
    before: number,
    limit: number,
    after?: TimerPlace,
  ): Promise<readonly TimerRow[]> {
    return dueTimers(this.#pool, partitions, before, limit, after);
  }

  timersOf(actor: ActorId): Promise<readonly TimerRow[]> {
    return timersOf(this.#pool, actor);
  }

  paused(partitions: readonly number[]): Promise<readonly PausedActor[]> {
    return pausedActors(this.#pool, partitions);
  }

  cursors(partitions: readonly number[]): Promise<readonly CursorRow[]> {
    return readCursors(this.#pool, partitions);
  }

  saveCursors(cursors: readonly CursorRow[]): Promise<void> {
    return saveCursors(this.#pool, cursors);
  }

  readOutbox(
    kind: OutboxKind,
    positions: readonly { readonly partition: number; readonly after: number }[],
    limit: number,
  ): Promise<readonly OutboxRecord[]> {
    return readOutbox(this.#pool, kind, positions, limit);
  }

  readJournal(
    actors: readonly (ActorId & { readonly after: number })[],
    limit: number,
  ): Promise<readonly JournalRecord[]> {
    return readJournal(this.#pool, actors, limit);
  }

  readHistory(
    type: string,
    positions: readonly { readonly partition: number; readonly after: number }[],
    limit: number,
  ): Promise<readonly OutboxRecord[]> {
    return readHistory(this.#pool, type, positions, limit);
  }

  registerSinks(sinks: readonly KnownSink[], at: number): Promise<void> {
    return this.#pool.run((sql) => registerSinks(sql, sinks, at));
  }

  forgetSinks(before: number): Promise<readonly string[]> {
    return this.#pool.run((sql) => forgetSinks(sql, before));
  }

  oldestAhead(sink: string, kind: OutboxKind): Promise<number | undefined> {
    return this.#pool.run((sql) => oldestAhead(sql, sink, kind));
  }

  pruneOutbox(partitions: readonly number[], before: number, limit: number): Promise<number> {
    return this.#pool.run((sql) => pruneOutbox(sql, partitions, before, limit), 60_000);
  }

  async pruneReplies(before: number, sentBefore: number, limit: number): Promise<number> {
    const bounds = { before, sentBefore, limit };
    const { count, pruned } = await this.#pool.run((sql) => pruneReplies(sql, bounds, this.#pruned), 60_000);
    this.#pruned = pruned;
    await this.#pool.run(
      (sql) => sql`
        delete from nodes n where n.expires_at < now() - interval '1 day' and not exists (select 1 from partitions p where p.owner = n.id)`,
    );
    return count;
  }

  begun(partitions: readonly number[]): Promise<readonly BegunMessage[]> {
    return this.#pool.run((sql) => selectBegun(sql, partitions));
  }

  saveBegun(messages: readonly BegunMessage[]): Promise<void> {
    return this.#pool.run((sql) => saveBegun(sql, messages));
  }

  pruneBegun(before: number): Promise<void> {
    return this.#pool.run((sql) => pruneBegun(sql, before));
  }

  async recordDeadLetters(letters: readonly DeadLetter[]): Promise<void> {
    await this.#pool.run((sql) => insertDeadLetters(sql, letters));
  }

  deadLetters(filter: DeadLetterFilter, page: DeadLetterWindow): Promise<readonly StoredDeadLetter[]> {
    return this.#pool.run((sql) => selectDeadLetters(sql, filter, page));
  }

  deadLetter(id: string): Promise<StoredDeadLetter | undefined> {
    return this.#pool.run((sql) => selectDeadLetter(sql, id));
  }

  lastDeadLetter(): Promise<number> {
    return this.#pool.run((sql) => lastDeadLetter(sql));
  }

  keysWithDeadLetters(filter: DeadLetterFilter, keys: readonly string[], upTo: number): Promise<readonly string[]> {
    return this.#pool.run((sql) => keysWithDeadLetters(sql, filter, keys, upTo));
  }

  countDeadLetters(): Promise<readonly DeadLetterCount[]> {
    return this.#pool.run((sql) => countDeadLetters(sql));
  }

  summarizeDeadLetters(filter: DeadLetterFilter): Promise<readonly DeadLetterSummary[]> {
    return this.#pool.run((sql) => summarizeDeadLetters(sql, filter));
  }

  amendDeadLetter(id: string, was: string, change: DeadLetterChange): Promise<boolean> {
    return this.#pool.run((sql) => updateDeadLetter(sql, id, was, change));
  }

  claimDeadLetterKeys(keys: readonly string[], owner: string, forMs: number): Promise<readonly string[]> {
    return this.#pool.run((sql) => claimDeadLetterKeys(sql, keys, owner, forMs));
  }

  async releaseDeadLetterKeys(keys: readonly string[], owner: string): Promise<void> {
    await this.#pool.run((sql) => releaseDeadLetterKeys(sql, keys, owner));
  }

  removeDeadLetters(ids: readonly string[]): Promise<number> {
    return this.#pool.run((sql) => deleteDeadLetters(sql, ids));
  }
}
