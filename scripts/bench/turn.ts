import postgres from "postgres";
import { postgresStore } from "#infra/postgres/store.ts";
import { testDatabase } from "#infra/stack/for-tests.ts";
import { createTroupe, uuidv7 } from "#runtime";
import { Account } from "./account.ts";
import { load } from "./measure.ts";
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
  await sql`create table states (type text, key text, version bigint not null, state json not null, primary key (type, key)) with (fillfactor = 70)`;
  await sql`create table events (seq bigserial primary key, id text not null, type text not null, key text not null, body text not null, at_ms bigint not null)`;
  const result = await load(callers, async () => {
    const key = `k${Math.floor(Math.random() * ACTORS)}`;
    await sql`
      with s as (
        insert into states values ('account', ${key}, 1, ${JSON.stringify({ count: 1, owner: "somebody", items: ["a", "b"] })}::json)
        on conflict (type, key) do update set version = states.version + 1, state = excluded.state returning version
      )
      insert into events (id, type, key, body, at_ms)
      select ${`evt_${uuidv7()}`}, 'account.incremented.v1', ${key}, ${JSON.stringify({ by: 1 })}, ${Date.now()}::bigint from s`;
  });
  await sql.end();
  return result;
}
