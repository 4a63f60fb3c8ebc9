import postgres from "postgres";
import { postgresStore } from "#infra/postgres/store.ts";
import { testDatabase } from "#infra/stack/for-tests.ts";
import { createTroupe, uuidv7 } from "#runtime";
import { Account } from "./account.ts";
import { load } from "./measure.ts";
import { createTables, writeOnce } from "./one-statement.ts";
import type { BenchCase } from "./report.ts";

const ACTORS = 1_000;

/** Durable turns with one event each, against one statement per turn (state and event in a CTE, a pool of 32). */
export async function* turn(): AsyncGenerator<BenchCase> {
  for (const callers of [64, 256]) {
    const baseline = await oneStatementPerTurn(callers);
    const measured = await durableTurns(callers, false);
    yield {
      bench: "turn",
      case: `${callers} callers`,
      measured,
      baseline: { name: "one statement per turn, pool of 32", ...baseline },
    };
    const once = await durableTurns(callers, true);
    yield {
      bench: "turn",
      case: `${callers} callers, each with a message id`,
      measured: once,
      baseline: { name: "one statement per turn, pool of 32", ...baseline },
    };
  }
}

/** One actor that everybody calls: its turns can only be batched, never run side by side. */
export async function* hot(): AsyncGenerator<BenchCase> {
  await using database = await testDatabase("bench_hot");
  await using troupe = await createTroupe({ actors: [Account], stores: { default: postgresStore(database.url) } });
  const measured = await load(64, () => troupe.ref(Account, "hot").increment({ by: 1 }));
  yield { bench: "hot", case: "64 callers, one actor", measured };
}

async function durableTurns(callers: number, withIds: boolean) {
  await using database = await testDatabase("bench_turn");
  await using troupe = await createTroupe({ actors: [Account], stores: { default: postgresStore(database.url) } });
  return await load(callers, () => {
    const key = `k${Math.floor(Math.random() * ACTORS)}`;
    return troupe.ref(Account, key).increment({ by: 1 }, withIds ? { id: uuidv7() } : {});
  });
}

async function oneStatementPerTurn(callers: number) {
  await using database = await testDatabase("bench_base");
  const sql = postgres(database.url, { max: 32, onnotice: () => undefined });
  await createTables(sql);
  const state = { count: 1, owner: "somebody", items: ["a", "b"] };
  const result = await load(callers, () => {
    const key = `k${Math.floor(Math.random() * ACTORS)}`;
    return writeOnce(sql, { type: "account", key, state, event: "account.incremented.v1", data: { by: 1 } });
  });
  await sql.end();
  return result;
}
