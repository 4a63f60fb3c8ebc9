import postgres from "postgres";
import { postgresStore } from "#infra/postgres/store.ts";
import { testDatabase } from "#infra/stack/for-tests.ts";
import { createTroupe } from "#runtime";
import { Account } from "./account.ts";
import { isolated } from "./isolated.ts";
import { type Measured, summary } from "./measure.ts";
import { progress } from "./progress.ts";
import type { BenchCase } from "./report.ts";

const LOADS = "activation-loads.ts";
const ACTORS = 5_000;
const CALLERS = 16;
const NEW_ACTORS = 50_000;
const MANY_KEYS = 100_000;
const FEW_KEYS = 1_000;
const MANY_CALLERS = 256;

/** The first message to actors that are stored and not in memory, against a select of the same rows. */
export async function* activation(): AsyncGenerator<BenchCase> {
  await using database = await testDatabase("bench_activation");
  progress(`activation: storing ${ACTORS} actors`);
  await store(database.url);
  const measured = await activate(database.url);
  const baseline = { name: "select by key, pool of 16", ...(await select(database.url)) };
  yield { bench: "activation", case: `${ACTORS} passive actors, ${CALLERS} callers`, measured, baseline };
  progress(`activation: ${NEW_ACTORS} new actors`);
  yield {
    bench: "activation",
    case: `${NEW_ACTORS.toLocaleString("en-US")} new actors, ${MANY_CALLERS} callers`,
    measured: await isolated(LOADS, "newActors", NEW_ACTORS, MANY_CALLERS),
    baseline: {
      name: "one statement per actor, pool of 32",
      ...(await isolated(LOADS, "newRows", NEW_ACTORS, MANY_CALLERS)),
    },
  };
  progress(`activation: ${MANY_KEYS} stored actors at random`);
  const few = await isolated(LOADS, "turnsOverKeys", FEW_KEYS, MANY_CALLERS);
  yield {
    bench: "activation",
    case: `${MANY_KEYS.toLocaleString("en-US")} stored actors at random, ${MANY_CALLERS} callers`,
    measured: await isolated(LOADS, "turnsOverKeys", MANY_KEYS, MANY_CALLERS),
    baseline: { name: `${FEW_KEYS.toLocaleString("en-US")} of them`, ...few },
  };
}

async function store(url: string): Promise<void> {
  await using troupe = await createTroupe({ actors: [Account], stores: { default: postgresStore(url) } });
  await once(256, (key) => troupe.ref(Account, key).increment({ by: 1 }));
}

async function activate(url: string): Promise<Measured> {
  await using troupe = await createTroupe({ actors: [Account], stores: { default: postgresStore(url) } });
  await troupe.ref(Account, "warm").read();
  return await once(CALLERS, (key) => troupe.ref(Account, key).read());
}

async function select(url: string): Promise<Measured> {
  const sql = postgres(url, { max: CALLERS, onnotice: () => undefined });
  try {
    await Promise.all(Array.from({ length: CALLERS }, () => sql`select 1`));
    return await once(CALLERS, (key) => sql`select state from actor_states where type = 'account' and key = ${key}`);
  } finally {
    await sql.end();
  }
}

/** Every actor once, from so many callers. */
async function once(callers: number, operation: (key: string) => Promise<unknown>): Promise<Measured> {
  const latencies: number[] = [];
  let next = 0;
  const startedAt = performance.now();
  const caller = async (): Promise<void> => {
    while (next < ACTORS) {
      const key = `k${next++}`;
      const from = performance.now();
      await operation(key);
      latencies.push(performance.now() - from);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return summary(latencies, (performance.now() - startedAt) / 1_000);
}
