import postgres from "postgres";
import {
  type ActorId,
  type ActorRow,
  type CommitBatch,
  CommitRefusedError,
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
  type NodeCard,
  type NodeContracts,
  type NodeId,
  type NodeRow,
  type OutboxKind,
  type OutboxRecord,
  OutcomeUnknownError,
  type Ownership,
  type PausedActor,
  type Store,
  type StoredDeadLetter,
  type ReplyKey,
  type StoredReply,
  type TimerPlace,
  type TimerRow,
} from "#runtime";
import { arrayLiteral } from "./array-literal.ts";
import { commitStatement } from "./commit.ts";
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
import { type OutboxPage, recordsOf } from "./outbox-page.ts";
import type { PoolUse } from "./pool-use.ts";
import { isRefusal, Pool } from "./pool.ts";
import { forgetSinks, oldestAhead, pruneOutbox, pruneReplies, registerSinks } from "./retention.ts";

/** Options of {@link postgresStore}; none is needed. */
export interface PostgresStoreOptions {
  /** How the store is called in logs and `/ready`. Default: the database's name. */
  readonly name?: string;
  readonly log?: Log;
  /** Connections at most. Default 6. */
  readonly max?: number;
  /** Where it is kept how many of the connections are taken, for whoever counts it. */
  readonly use?: PoolUse;
}

/** Replies read with an actor; with more than this the older ones are looked up one by one. */
const REPLIES_LOADED = 1_000;

/**
 * A store in a Postgres database (15 or newer; made for 18). `open` creates the database and applies the migrations.
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
  readonly #places = new FencePlaces();

  constructor(url: string, { name, log, max, use }: PostgresStoreOptions) {
    this.#url = url;
    this.name = name ?? new URL(url).pathname.slice(1);
    this.#pool = new Pool(url, {
      indexed: true,
      ...(log && { log }),
      ...(max !== undefined && { max }),
      ...(use && { use }),
    });
  }

  async open(): Promise<void> {
    await migrate(this.#url);
  }

  close(): Promise<void> {
    return this.#pool.close();
  }

  async check(): Promise<void> {
    await this.#pool.run((sql) => sql`select 1`, 2_000);
  }

  async heartbeat(node: NodeId, leaseMs: number, card?: NodeCard): Promise<readonly Ownership[]> {
    // An answer that comes after the lease has run out is worth nothing; the floor is for a server that just woke up.
    const deadlineMs = Math.max(leaseMs, 1_000);
    const { contracts, ...rest } = card ?? {};
    const said = card === undefined ? null : JSON.stringify(rest);
    await this.#pool.run(
      (sql) => sql`
        insert into nodes (id, expires_at, card, contracts)
        values (${node}, now() + ${leaseMs}::int * interval '1 ms', ${said}::text, ${contracts ?? null}::text)
        on conflict (id) do update set expires_at = excluded.expires_at, card = coalesce(excluded.card, nodes.card),
          contracts = coalesce(excluded.contracts, nodes.contracts)`,
      deadlineMs,
    );
    // A second statement, so that it sees what was taken while the first one waited for a taker's lock.
    const rows = await this.#pool.run(
      (sql) => sql<{ partition: number; owner: string | null; epoch: number }[]>`
        select p.id as partition, p.epoch::float8 as epoch, case when n.expires_at > now() then p.owner end as owner
        from partitions p left join nodes n on n.id = p.owner`,
      deadlineMs,
    );
    return rows.map(({ partition, owner, epoch }) => ({ partition, epoch, owner: owner ?? undefined }));
  }

  async nodes(): Promise<readonly NodeRow[]> {
    const rows = await this.#pool.run(
      (sql) => sql<{ id: string; card: string | null; since: number; leaseLeftMs: number }[]>`
        select id, card, extract(epoch from since)::float8 * 1000 as since,
               extract(epoch from expires_at - now())::float8 * 1000 as "leaseLeftMs"
        from nodes where expires_at > now() order by id collate "C"`,
    );
    return rows.map(({ card, since, ...row }) => ({
      ...row,
      since: Math.round(since),
      card: card === null ? undefined : cardOf(card),
    }));
  }

  contracts(): Promise<readonly NodeContracts[]> {
    return this.#pool.run(
      (sql) => sql<NodeContracts[]>`
        select id as node, contracts from nodes where expires_at > now() and contracts is not null order by id collate "C"`,
    );
  }

  acquire(node: NodeId, partitions?: readonly number[]): Promise<readonly Grant[]> {
    const wanted = partitions === undefined ? null : arrayLiteral(partitions);
    // The holder's lease row is locked too: a renewal that comes meanwhile either comes first, and keeps its
    // partitions, or waits, and then sees that they are gone. Locked rows are in use: skipped.
    return this.#pool.run(
      (sql) => sql<Grant[]>`
        with expired as (
          select p.id from partitions p join nodes n on n.id = p.owner
          where n.expires_at <= now() and p.owner <> ${node} and (${wanted}::smallint[] is null or p.id = any(${wanted}::smallint[]))
          order by p.id for update of p, n skip locked
        ), free as (
          select id from partitions
          where owner is null and (${wanted}::smallint[] is null or id = any(${wanted}::smallint[]))
          order by id for update skip locked
        )
        update partitions p set owner = ${node}, epoch = p.epoch + 1
        from (select id from expired union all select id from free) f where p.id = f.id
        returning p.id as partition, p.epoch::float8 as epoch, p.commit_seq::float8 as "commitSeq", p.last_seq::float8 as "lastSeq"`,
    );
  }

  async release(node: NodeId, partitions: readonly Fence[]): Promise<void> {
    await this.#pool.run(
      (sql) => sql`
        update partitions p set owner = null
        from unnest(${arrayLiteral(partitions.map((f) => f.partition))}::smallint[], ${arrayLiteral(partitions.map((f) => f.epoch))}::bigint[]) u (id, epoch)
        where p.id = u.id and p.owner = ${node} and p.epoch = u.epoch`,
    );
  }

  settle(node: NodeId, partitions: readonly Fence[]): Promise<readonly Grant[]> {
    return this.#pool.run(
      (sql) => sql<Grant[]>`
        update partitions p set epoch = p.epoch + 1
        from unnest(${arrayLiteral(partitions.map((f) => f.partition))}::smallint[]) u (id)
        where p.id = u.id and p.owner = ${node}
        returning p.id as partition, p.epoch::float8 as epoch, p.commit_seq::float8 as "commitSeq", p.last_seq::float8 as "lastSeq"`,
    );
  }

  async load(actors: readonly ActorId[]): Promise<readonly LoadedActor[]> {
    const types = actors.map((actor) => actor.type);
    const keys = actors.map((actor) => actor.key);
    const [states, replies] = await Promise.all([
      this.#pool.run(
        (sql) => sql<{ i: number; version: number; state: string; schemaVersion: number }[]>`
          select u.i::int as i, a.version::float8 as version, a.state, a.schema_version as "schemaVersion"
          from unnest(${arrayLiteral(types)}::text[], ${arrayLiteral(keys)}::text[]) with ordinality u (type, key, i)
          join actor_states a on a.type = u.type and a.key = u.key`,
      ),
      this.#pool.run(
        (sql) => sql<{ i: number; id: string; hash: string; reply: string | null }[]>`
          select u.i::int as i, r.id, r.hash, r.reply
          from unnest(${arrayLiteral(types)}::text[], ${arrayLiteral(keys)}::text[]) with ordinality u (type, key, i)
          cross join lateral (
            select id, hash, reply from replies r where r.type = u.type and r.key = u.key limit ${REPLIES_LOADED + 1}::int
          ) r`,
      ),
    ]);
    const loaded = actors.map(() => ({
      state: undefined as string | undefined,
      version: 0,
      schemaVersion: 1,
      replies: [] as StoredReply[],
    }));
    for (const { i, ...row } of states) Object.assign(loaded[i - 1] as object, row);
    for (const { i, id, hash, reply } of replies) loaded[i - 1]?.replies.push({ id, hash, reply: reply ?? undefined });
    return loaded.map((actor) => ({ ...actor, repliesComplete: actor.replies.length <= REPLIES_LOADED }));
  }

  async findReplies(asked: readonly ReplyKey[]): Promise<readonly (StoredReply | undefined)[]> {
    const types = arrayLiteral(asked.map(({ type }) => type));
    const keys = arrayLiteral(asked.map(({ key }) => key));
    const ids = arrayLiteral(asked.map(({ id }) => id));
    const rows = await this.#pool.run(
      (sql) => sql<{ i: number; id: string; hash: string; reply: string | null }[]>`
        select u.i::int as i, r.id, r.hash, r.reply
        from unnest(${types}::text[], ${keys}::text[], ${ids}::text[]) with ordinality u (type, key, id, i)
        join replies r on r.type = u.type and r.key = u.key and r.id = u.id`,
    );
    const found = new Map(rows.map(({ i, id, hash, reply }) => [i, { id, hash, reply: reply ?? undefined }]));
    return asked.map((_, i) => found.get(i + 1));
  }

  list(
    type: string,
    { limit, after }: { readonly limit: number; readonly after: string | undefined },
  ): Promise<readonly ActorRow[]> {
    return this.#pool.run(
      (sql) => sql<ActorRow[]>`
        select key, version::float8 as version, state, schema_version as "schemaVersion" from actor_states
        where type = ${type} and key > ${after ?? ""} order by key limit ${limit}::int`,
    );
  }

  where(query: IndexQuery): Promise<readonly ActorRow[] | undefined> {
    return this.#pool.run((sql) => where(sql, query));
  }

  indexedFields(partitions: readonly number[]): Promise<readonly IndexedFields[]> {
    return this.#pool.run((sql) => indexedFields(sql, partitions));
  }

  fillIndex(node: NodeId, fences: readonly Fence[], fill: IndexFill): Promise<void> {
    return this.#pool.run((sql) => fillIndex(sql, node, fences, fill), 60_000);
  }

  async commit(node: NodeId, batch: CommitBatch): Promise<void> {
    const places = this.#places.of(batch.fences);
    try {
      const [committed] = await this.#pool.run((sql) => commitStatement(sql, node, batch, places));
      this.#places.learn(committed?.places);
    } catch (error) {
      this.#places.forget(batch.fences);
      if (error instanceof postgres.PostgresError && error.code === "TRF01") {
        // Nothing was written. The rows may only have moved: then they are found by their ids.
        if (places !== undefined) return this.commit(node, batch);
        throw new FencedError(error.message, { cause: error });
      }
      if (isRefusal(error)) throw new CommitRefusedError("The database refused the commit", { cause: error });
      throw new OutcomeUnknownError("Cannot tell whether the commit happened", { cause: error });
    }
  }

  async timers(
    partitions: readonly number[],
    before: number,
    limit: number,
    after?: TimerPlace,
  ): Promise<readonly TimerRow[]> {
    const rows = await this.#pool.run(
      (sql) => sql<StoredTimer[]>`
        select type, key, name, partition, due_ms::float8 as "dueAt", message, input, schedule from timers t
        where partition = any(${arrayLiteral(partitions)}::smallint[]) and due_ms < ${before}::bigint
          ${after === undefined ? sql`` : sql`and due_ms >= ${after.dueAt}::bigint and (due_ms, type, key, name) > (${after.dueAt}::bigint, ${after.type}, ${after.key}, ${after.name})`}
          and not exists (select 1 from paused_actors p where p.type = t.type and p.key = t.key)
        order by due_ms, type, key, name limit ${limit}::int`,
    );
    return rows.map(timerOf);
  }

  async timersOf({ type, key }: ActorId): Promise<readonly TimerRow[]> {
    const rows = await this.#pool.run(
      (sql) => sql<StoredTimer[]>`
        select type, key, name, partition, due_ms::float8 as "dueAt", message, input, schedule from timers
        where type = ${type} and key = ${key} order by name`,
    );
    return rows.map(timerOf);
  }

  paused(partitions: readonly number[]): Promise<readonly PausedActor[]> {
    return this.#pool.run(
      (sql) => sql<PausedActor[]>`
        select type, key, partition, since_ms::float8 as since, reason from paused_actors
        where partition = any(${arrayLiteral(partitions)}::smallint[])`,
    );
  }

  cursors(partitions: readonly number[]): Promise<readonly CursorRow[]> {
    return this.#pool.run(
      (sql) => sql<CursorRow[]>`
        select sink, partition, seq::float8 as seq from cursors where partition = any(${arrayLiteral(partitions)}::smallint[])`,
    );
  }

  async saveCursors(cursors: readonly CursorRow[]): Promise<void> {
    // In one order everywhere: two nodes that save the same rows must not wait for each other in a circle.
    const rows = cursors.toSorted((a, b) => a.sink.localeCompare(b.sink) || a.partition - b.partition);
    await this.#pool.run(
      (sql) => sql`
        insert into cursors (sink, partition, seq)
        select * from unnest(${arrayLiteral(rows.map((c) => c.sink))}::text[], ${arrayLiteral(rows.map((c) => c.partition))}::smallint[], ${arrayLiteral(rows.map((c) => c.seq))}::bigint[])
        on conflict (sink, partition) do update set seq = excluded.seq where excluded.seq > cursors.seq`,
    );
  }

  async readOutbox(
    kind: OutboxKind,
    positions: readonly { readonly partition: number; readonly after: number }[],
    limit: number,
  ): Promise<readonly OutboxRecord[]> {
    // Pages are read until those behind the first, which may be passed in part, hold enough.
    const pages = await this.#pool.run(
      (sql) => sql<(Pick<OutboxPage, "partition" | "kind" | "records"> & { readonly after: number })[]>`
        select u.partition, ${kind} as kind, u.after::float8 as after, o.records
        from unnest(${arrayLiteral(positions.map((p) => p.partition))}::smallint[], ${arrayLiteral(positions.map((p) => p.after))}::bigint[]) u (partition, after)
        cross join lateral (
          select records, last_seq, sum(count) over w - count - first_value(count) over w as before
          from (
            select records, last_seq, count from outbox o
            where o.partition = u.partition and o.kind = ${kind} and o.last_seq > u.after
            order by o.last_seq limit ${limit + 1}::int
          ) o
          window w as (order by last_seq)
        ) o
        where o.before < ${limit}::int
        order by u.partition, o.last_seq`,
    );
    return pages.flatMap((page) => recordsOf(page, page.after));
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
    const pruned = await this.#pool.run((sql) => pruneReplies(sql, before, sentBefore, limit), 60_000);
    await this.#pool.run(
      (sql) => sql`
        delete from nodes n where n.expires_at < now() - interval '1 day' and not exists (select 1 from partitions p where p.owner = n.id)`,
    );
    return pruned;
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

/** What {@link PostgresStore.heartbeat} wrote; JSON has no `undefined`. */
function cardOf(text: string): Omit<NodeCard, "contracts"> {
  const card = JSON.parse(text) as Omit<NodeCard, "contracts" | "address"> & { readonly address?: string };
  return { ...card, address: card.address };
}

/** A timer as its row is read. */
type StoredTimer = Omit<TimerRow, "input" | "schedule"> & {
  readonly input: string | null;
  readonly schedule: string | null;
};

function timerOf(row: StoredTimer): TimerRow {
  return { ...row, input: row.input ?? undefined, schedule: row.schedule ?? undefined };
}
