import { expect, setDefaultTimeout, test } from "bun:test";
import { SENT_IDS } from "#runtime";
import { testDatabase } from "../stack/for-tests.ts";
import { withConnection } from "../stack/postgres.ts";
import { eventually } from "../testing/eventually.ts";
import { postgresStore } from "./store.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

const KEPT = 20_000;
const GONE = 12_000;

test("a round that prunes replies looks once at those to sends that have to stay, however many batches it takes", async () => {
  await using database = await testDatabase("retention");
  const store = postgresStore(database.url, { max: 1 });
  await store.open();
  const [sent] = SENT_IDS;
  await withConnection(database.url, async (sql) => {
    await sql`
      insert into replies (type, key, id, hash, reply, at_ms)
      select 't', 'k' || i % 100, ${sent} || i, 'h', '1', i from generate_series(1, ${KEPT}::int) i`;
    await sql`
      insert into replies (type, key, id, hash, reply, at_ms)
      select 't', 'k' || i % 100, 'own' || i, 'h', '1', ${KEPT}::int + i from generate_series(1, ${GONE}::int) i`;
    await sql`select pg_stat_reset()`;
  });
  const batches: number[] = [];
  do batches.push(await store.pruneReplies(1_000_000, 0, 2_000));
  while (batches.at(-1) !== 0);
  expect(batches).toEqual([...Array<number>(GONE / 2_000).fill(2_000), 0]);
  // With other bounds what had to stay goes as well.
  expect(await store.pruneReplies(1_000_000, 11, 2_000)).toBe(10);
  await store.close();
  const read = await withConnection(database.url, async (sql) => {
    await eventually("the store's connection has told what it read", 20_000, async () => {
      const [row] = await sql<{ others: number }[]>`
        select count(*)::int as others from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`;
      return row?.others === 0;
    });
    const [row] = await sql<{ rows: number }[]>`
      select sum(idx_tup_read)::int as rows from pg_stat_user_indexes where indexrelname = 'replies_by_age'`;
    return row?.rows ?? 0;
  });
  expect(read).toBeLessThan(2.5 * KEPT + 2 * GONE);
});
