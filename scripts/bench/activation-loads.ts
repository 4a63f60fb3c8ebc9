import postgres from "postgres";
import { postgresStore } from "#infra/postgres/store.ts";
import { testDatabase } from "#infra/stack/for-tests.ts";
import { withConnection } from "#infra/stack/postgres.ts";
import { createTroupe, uuidv7 } from "#runtime";
import { Account } from "./account.ts";
import { fillStore } from "./full-store.ts";
import { load, type Measured, summary } from "./measure.ts";
import { createTables, writeOnce } from "./one-statement.ts";

const ACTORS = 1_000;

/** The first message to `actors` actors that were never stored, each a durable turn with one event. */
export async function newActors(actors: number, callers: number): Promise<Measured> {
  await using database = await testDatabase("bench_new");
  await using troupe = await createTroupe({ actors: [Account], stores: { default: postgresStore(database.url) } });
  await each(callers, callers, (i) => troupe.ref(Account, `warm${i}`).increment({ by: 1 }));
  return await each(actors, callers, (i) => troupe.ref(Account, `k${i}`).increment({ by: 1 }));
}

/** The baseline: a statement for each, over a pool of 32. */
export async function newRows(actors: number, callers: number): Promise<Measured> {
  await using database = await testDatabase("bench_rows");
  const sql = postgres(database.url, { max: 32, onnotice: () => undefined });
  try {
    await createTables(sql);
    const state = { count: 1, owner: "somebody", items: ["a", "b"] };
    return await each(actors, callers, (i) =>
      writeOnce(sql, { type: "account", key: `k${i}`, state, event: "account.incremented.v1", data: { by: 1 } }),
    );
  } finally {
    await sql.end();
  }
}

/** Durable turns of stored actors, any of `keys` of them each time, most of which are not in memory at first. */
export async function turnsOverKeys(keys: number, callers: number): Promise<Measured> {
  await using database = await testDatabase("bench_keys");
  await fillStore(database.url, { actors: keys, prunedEvents: 0 });
  await using troupe = await createTroupe({ actors: [Account], stores: { default: postgresStore(database.url) } });
  return await load(callers, () => troupe.ref(Account, `k${Math.floor(Math.random() * keys)}`).increment({ by: 1 }));
}

/** Durable turns with ids of a thousand actors that have answered `ids` ids before, all together. */
export async function turnsBesideIds(ids: number, callers: number): Promise<Measured> {
  await using database = await testDatabase("bench_ids");
  await fillStore(database.url, { actors: ACTORS, prunedEvents: 0 });
  await withConnection(database.url, async (sql) => {
    await sql`
      insert into replies (type, key, id, hash, reply, at_ms)
      select 'account', 'k' || i % ${ACTORS}::int, 'old' || i, 'h', '1', ${Date.now()}::bigint
      from generate_series(0, ${ids - 1}::int) i`;
    await sql`vacuum analyze replies`;
  });
  await using troupe = await createTroupe({ actors: [Account], stores: { default: postgresStore(database.url) } });
  return await load(callers, () =>
    troupe.ref(Account, `k${Math.floor(Math.random() * ACTORS)}`).increment({ by: 1 }, { id: uuidv7() }),
  );
}

/** Runs `operation` for 0 to `count`, from so many callers. */
async function each(count: number, callers: number, operation: (i: number) => Promise<unknown>): Promise<Measured> {
  const latencies: number[] = [];
  let next = 0;
  const startedAt = performance.now();
  const caller = async (): Promise<void> => {
    while (next < count) {
      const i = next++;
      const from = performance.now();
      await operation(i);
      latencies.push(performance.now() - from);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return summary(latencies, (performance.now() - startedAt) / 1_000);
}
