import { expect, setDefaultTimeout, test } from "bun:test";
import postgres from "postgres";
import { type CommitBatch, FencedError, type Grant, type Store } from "#runtime";
import { testDatabase } from "../stack/for-tests.ts";
import { eventually } from "../testing/eventually.ts";
import { postgresStore } from "./store.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(120_000);

const NODE = "node-1";

function batchOf(grants: readonly Grant[]): CommitBatch {
  const fences = grants.map(({ partition, epoch, lastSeq }) => ({ partition, epoch, lastSeq }));
  return { fences, states: [], replies: [], outbox: [], timers: [], index: [] };
}

async function withStore(
  work: (store: Store, grants: readonly Grant[], sql: postgres.Sql) => Promise<void>,
): Promise<void> {
  await using database = await testDatabase("fence_places");
  const store = postgresStore(database.url);
  await store.open();
  const sql = postgres(database.url, { max: 2, onnotice: () => undefined });
  try {
    await store.heartbeat(NODE, 600_000);
    await work(store, await store.acquire(NODE), sql);
  } finally {
    await store.close();
    await sql.end();
  }
}

/** As after a long transaction: the rows lie far out in their table, so that commits go by their places. */
async function moveFar(sql: postgres.Sql): Promise<void> {
  await sql.begin(async (one) => {
    for (let i = 0; i < 60; i++) await one`update partitions set commit_seq = commit_seq`;
  });
}

test("a commit beside a transaction that stays open does not pass the versions that earlier commits left", async () => {
  await withStore(async (store, grants, sql) => {
    const commits = 150;
    const open = await sql.reserve();
    try {
      await open`begin isolation level repeatable read`;
      await open`select pg_current_xact_id()`;
      for (let i = 0; i < commits; i++) await store.commit(NODE, batchOf(grants));
    } finally {
      await open`rollback`;
      open.release();
    }
    const rows = commits * grants.length;
    let pages = 0;
    await eventually("the server has counted the commits", 30_000, async () => {
      const [counted] = await sql<{ updated: number; pages: number }[]>`
        select n_tup_upd::float8 as updated, (heap_blks_hit + heap_blks_read)::float8 as pages
        from pg_stat_user_tables join pg_statio_user_tables using (relid) where relid = 'partitions'::regclass`;
      pages = counted?.pages ?? 0;
      return (counted?.updated ?? 0) >= rows;
    });
    expect(pages / rows).toBeLessThan(10);
  });
});

test("a commit finds rows that another process has moved", async () => {
  await withStore(async (store, grants, sql) => {
    await moveFar(sql);
    await store.commit(NODE, batchOf(grants));
    await sql`update partitions set commit_seq = commit_seq`;
    await store.commit(NODE, batchOf(grants));
    const rows = await sql<{ seq: number }[]>`select distinct commit_seq::float8 as seq from partitions`;
    expect(rows.map(({ seq }) => seq)).toEqual([2]);
  });
});

test("a commit is refused where another node has taken a partition, known place or not", async () => {
  await withStore(async (store, grants, sql) => {
    await moveFar(sql);
    await store.commit(NODE, batchOf(grants));
    await sql`update partitions set owner = 'node-2', epoch = epoch + 1 where id = 7`;
    await expect(store.commit(NODE, batchOf(grants))).rejects.toThrow(FencedError);
    await expect(store.commit(NODE, batchOf(grants))).rejects.toThrow(FencedError);
    const rows = await sql<{ seq: number }[]>`select distinct commit_seq::float8 as seq from partitions`;
    expect(rows.map(({ seq }) => seq)).toEqual([1]);
  });
});
