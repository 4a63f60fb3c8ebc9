import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import type { Sql } from "postgres";
import type { Store } from "#runtime";
import { testDatabase, type TestDatabase } from "../stack/for-tests.ts";
import { withConnection } from "../stack/postgres.ts";
import { everyStatement, NODE } from "../testing/every-statement.ts";
import { postgresStore } from "./store.ts";

setDefaultTimeout(300_000);

/** Rows of each table that grows. `PLAN_ROWS=1000000` tries the same on a large store. */
const ROWS = Number(process.env.PLAN_ROWS ?? 50_000);

/** Rows that a scan reads as fast as an index. */
const FEW = 2_000;

/** Tables with a bound: partitions, sinks × partitions, types × partitions, reasons, nodes of a day, actors somebody paused, keys that are replayed, sinks, settings, what was under way when a node died. */
const BOUNDED = [
  "partitions",
  "nodes",
  "cursors",
  "indexed_fields",
  "dead_letter_counts",
  "dead_letter_claims",
  "sinks",
  "paused_actors",
  "migrations",
  "store_settings",
  "begun_messages",
];

let database: TestDatabase;
let store: Store;

/** Makes the database plan as a server nobody has tuned. */
async function asDelivered(sql: Sql): Promise<void> {
  const tuned = await sql<{ name: string; value: string }[]>`
    select name, boot_val as value from pg_settings
    where context = 'user' and setting <> boot_val and (name like '%cost' or name like '%mem' or name like '%cache_size')`;
  const [row] = await sql<{ name: string }[]>`select current_database() as name`;
  for (const { name, value } of tuned) await sql.unsafe(`alter database ${row?.name} set ${name} = '${value}'`);
}

/** Without statistics, as a store is in its first minutes on a server with the defaults of PostgreSQL. */
async function fill(sql: Sql, from: number, to: number): Promise<void> {
  const tables = await sql<
    { name: string }[]
  >`select relname as name from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace`;
  for (const { name } of tables) await sql.unsafe(`alter table ${name} set (autovacuum_enabled = off)`);
  await sql`
    insert into actor_states (type, key, version, state)
    select 'account', 'k' || i, 1, '{"n":1}' from generate_series(${from}::int, ${to}::int) i`;
  await sql`
    insert into replies (type, key, id, hash, reply, at_ms)
    select 'account', 'k' || (i % 25000), 'm' || i, 'h', '1', i from generate_series(${from}::int, ${to}::int) i`;
  await sql`
    insert into outbox (partition, kind, last_seq, count, at_ms, records)
    select i % 64, 'event', i / 64 + 1, 1, i, '[]' from generate_series(${from}::int, ${to}::int) i`;
  await sql`
    insert into timers (type, key, name, partition, due_ms, message)
    select 'account', 'k' || i, 't', i % 64, i, 'add' from generate_series(${from}::int, ${to}::int) i`;
  await sql`
    insert into actor_index (type, key, field, value, partition)
    select 'account', 'k' || i, 'n', 'v' || (i % 1000), i % 64 from generate_series(${from}::int, ${to}::int) i`;
  await sql`
    insert into journal (type, key, seq, partition, position, id, name, at_ms, data)
    select 'account', 'k' || (i % 5000), i / 5000 + 1, i % 64, i / 64 + 1, 'e' || i, 'x', i, '1' from generate_series(${from}::int, ${to}::int) i`;
  await sql`
    insert into dead_letters (id, reason, detail, target, attempts, record, at_ms, type, key)
    select 'l' || i, 'poison', '', 'k' || (i % 5000), 1, '{}', i, 'account', 'k' || (i % 5000) from generate_series(${from}::int, ${to}::int) i`;
}

beforeAll(async () => {
  database = await testDatabase("plans");
  store = postgresStore(database.url, { max: 1 });
  await withConnection(database.url, asDelivered);
  await store.open();
  await store.heartbeat(NODE, 600_000);
  await store.acquire(NODE);
  await withConnection(database.url, (sql) => sql`select pg_stat_reset()`);
});

afterAll(async () => {
  await store.close();
  await database[Symbol.asyncDispose]();
});

describe("the statements of the store, on tables that were never analysed", () => {
  test("read few rows, whether they were prepared before a table grew or after it", async () => {
    // Often enough for the server to settle on one plan of each, while a scan of a table costs little.
    await withConnection(database.url, (sql) => fill(sql, 1, FEW));
    for (let time = 0; time < 6; time++) await everyStatement(store, time, ROWS);
    await withConnection(database.url, (sql) => fill(sql, FEW + 1, ROWS));
    await everyStatement(store, 6, ROWS);
    await store.close();
    store = postgresStore(database.url, { max: 1 });
    await everyStatement(store, 7, ROWS);
    await store.close();

    const read = await withConnection(database.url, async (sql) => {
      await gone(sql);
      return sql<{ table: string; rows: number }[]>`
        select t.relname as table, (t.seq_tup_read + coalesce(t.idx_tup_fetch, 0) + sum(i.idx_tup_read))::int as rows
        from pg_stat_user_tables t join pg_stat_user_indexes i on i.relid = t.relid
        where t.relname <> all(${BOUNDED as string[]}) group by t.relname, t.seq_tup_read, t.idx_tup_fetch`;
    });
    const growing = ["actor_states", "replies", "outbox", "timers", "actor_index", "journal", "dead_letters"];
    expect(read.map(({ table }) => table).toSorted()).toEqual(growing.toSorted());
    expect(read.filter(({ rows }) => rows > ROWS / 10)).toEqual([]);
  });
});

/** Until no connection of the store is left: their counts are then in the statistics. */
async function gone(sql: Sql): Promise<void> {
  for (;;) {
    const [row] = await sql<{ others: number }[]>`
      select count(*)::int as others from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`;
    if (row?.others === 0) return;
  }
}
