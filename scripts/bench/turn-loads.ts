import postgres from "postgres";
import { postgresStore } from "#infra/postgres/store.ts";
import { type TestDatabase, testDatabase } from "#infra/stack/for-tests.ts";
import { createTroupe, uuidv7 } from "#runtime";
import { Account } from "./account.ts";
import { fillStore } from "./full-store.ts";
import { load, type Measured } from "./measure.ts";
import { createTables, writeOnce } from "./one-statement.ts";

const ACTORS = 1_000;

/** Durable turns with one event each; `withIds` gives every message an id, whose reply is stored too. */
export async function durableTurns(callers: number, withIds: boolean): Promise<Measured> {
  await using database = await quietDatabase("bench_turn");
  await using troupe = await createTroupe({ actors: [Account], stores: { default: postgresStore(database.url) } });
  return await load(callers, () =>
    troupe.ref(Account, anyKey()).increment({ by: 1 }, withIds ? { id: uuidv7() } : undefined),
  );
}

/** As {@link durableTurns}, in a store with `stored` other actors and as many events that were relayed and pruned. */
export async function durableTurnsInFullStore(callers: number, stored: number): Promise<Measured> {
  await using database = await quietDatabase("bench_full");
  await fillStore(database.url, { actors: stored, prunedEvents: stored });
  await using troupe = await createTroupe({ actors: [Account], stores: { default: postgresStore(database.url) } });
  // The same number of actors as in the empty store, spread over all of them.
  const key = (): string => `k${Math.floor(Math.random() * ACTORS) * Math.floor(stored / ACTORS)}`;
  return await load(callers, () => troupe.ref(Account, key()).increment({ by: 1 }));
}

/** Durable turns of one actor: they can only be batched, never run side by side. */
export async function hotTurns(callers: number): Promise<Measured> {
  await using database = await quietDatabase("bench_hot");
  await using troupe = await createTroupe({ actors: [Account], stores: { default: postgresStore(database.url) } });
  return await load(callers, () => troupe.ref(Account, "hot").increment({ by: 1 }));
}

/** A fresh database on a server that has written out what the case before left: its flushes are not this case's. */
async function quietDatabase(prefix: string): Promise<TestDatabase> {
  const database = await testDatabase(prefix);
  const sql = postgres(database.url, { max: 1, onnotice: () => undefined });
  await sql`checkpoint`;
  await sql.end();
  return database;
}

/** The baseline: a statement per turn, state and event in one CTE, over a pool of 32. */
export async function oneStatementPerTurn(callers: number): Promise<Measured> {
  await using database = await quietDatabase("bench_base");
  const sql = postgres(database.url, { max: 32, onnotice: () => undefined });
  await createTables(sql);
  const state = { count: 1, owner: "somebody", items: ["a", "b"] };
  const result = await load(callers, () =>
    writeOnce(sql, { type: "account", key: anyKey(), state, event: "account.incremented.v1", data: { by: 1 } }),
  );
  await sql.end();
  return result;
}

function anyKey(): string {
  return `k${Math.floor(Math.random() * ACTORS)}`;
}
