/** Fills stores up to the size that a case of `growth` is about: past the runtime, which would take minutes. */
import type postgres from "postgres";
import { postgresStore } from "#infra/postgres/store.ts";
import { withConnection } from "#infra/stack/postgres.ts";
import { partitionOf } from "#runtime";

/** The tables of a store, in a new database. */
export async function makeStore(url: string): Promise<void> {
  const store = postgresStore(url);
  await store.open();
  await store.close();
}

/** Leaves the table as it is in a store that has served for long, and nothing that the server has still to write. */
async function settle(sql: postgres.Sql, table: string): Promise<void> {
  await sql.unsafe(`vacuum analyze ${table}`);
  await sql`checkpoint`;
}

/** So many rows of the outbox, of one event each, published by the sink of this name and not pruned yet. */
export async function fillOutbox(url: string, rows: number, sink: string): Promise<void> {
  await makeStore(url);
  await withConnection(url, async (sql) => {
    await sql.begin(async (tx) => {
      await tx`
        insert into outbox (partition, kind, last_seq, count, at_ms, records)
        select i % 64, 'event', i / 64 + 1, 1, ${Date.now()}::bigint,
          json_build_array(json_build_array(i / 64 + 1, 'evt_' || i, 'account.incremented.v1', 'account', 'k' || i, null, null,
            ${Date.now()}::bigint, '{"by":1}'))::text
        from generate_series(0, ${rows - 1}::int) i`;
      await tx`
        update partitions p set last_seq = o.last_seq
        from (select partition, max(last_seq) as last_seq from outbox group by partition) o where o.partition = p.id`;
      await tx`insert into cursors (sink, partition, seq) select ${sink}, id, last_seq from partitions`;
    });
    await settle(sql, "outbox");
  });
}

/** Timers of so many actors, all due at one moment. */
export async function fillTimers(url: string, actor: string, timers: number, dueAt: number): Promise<void> {
  await withConnection(url, async (sql) => {
    const keys = Array.from({ length: timers }, (_, i) => `k${i}`);
    for (let from = 0; from < timers; from += 10_000) {
      const some = keys.slice(from, from + 10_000);
      await sql`
        insert into timers (type, key, name, partition, due_ms, message)
        select ${actor}, key, 't', partition, ${dueAt}::bigint, 'tick'
        from unnest(${some}::text[], ${some.map((key) => partitionOf(actor, key))}::smallint[]) u (key, partition)`;
    }
    await settle(sql, "timers");
  });
}

/** So many dead letters of sends to an actor that is not there any more, of a thousand keys. */
export async function fillDeadLetters(url: string, letters: number): Promise<void> {
  await withConnection(url, async (sql) => {
    await sql`
      insert into dead_letters (id, reason, detail, target, attempts, record, at_ms, type, key)
      select 'old' || i, 'poison', 'It failed', 'gone/k' || i % 1000, 5,
        json_build_object('partition', 0, 'seq', i, 'kind', 'send', 'id', 'old' || i, 'name', 'increment',
          'actor', json_build_object('type', 'gone', 'key', 'a'), 'target', 'gone/k' || i % 1000, 'body', '{"by":1}', 'at', 1),
        ${Date.now()}::bigint, 'increment', 'old:k' || i % 1000
      from generate_series(0, ${letters - 1}::int) i`;
    await settle(sql, "dead_letters");
  });
}
