import { expect, setDefaultTimeout, test } from "bun:test";
import postgres from "postgres";
import * as v from "valibot";
import { actor, createTroupe, TroupeError } from "#runtime";
import { testDatabase } from "../stack/for-tests.ts";
import { Pool, QueryDeadlineError } from "./pool.ts";
import { postgresStore } from "./store.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

const Counter = actor("counter", {
  state: v.object({ count: v.number() }),
  initial: () => ({ count: 0 }),
  emits: { "counter.added.v1": v.object({ count: v.number() }) },
  messages: ({ command, query }) => ({
    add: command({ out: v.number() }, (c) => {
      c.emit("counter.added.v1", { count: ++c.state.count });
      return c.state.count;
    }),
    value: query({ out: v.number() }, (c) => c.state.count),
  }),
});

test("a query that hangs is given up at its deadline, and the pool goes on with new connections", async () => {
  await using database = await testDatabase("pool");
  const pool = new Pool(database.url, { max: 1 });
  const failure = await pool.run((sql) => sql`select pg_sleep(30)`, 200).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(QueryDeadlineError);
  expect(await pool.run((sql) => sql<{ one: number }[]>`select 1 as one`).then((rows) => rows[0]?.one)).toBe(1);
  await pool.close();
});

test("when every backend is terminated again and again, each message id still acts once and events have no gap", async () => {
  await using database = await testDatabase("faults");
  await using troupe = await createTroupe({ actors: [Counter], stores: { default: postgresStore(database.url) } });
  const admin = postgres(database.url, { max: 1, onnotice: () => undefined });
  const keys = ["a", "b", "c", "d"];
  let rounds = 0;
  let left = 200;

  const addOnce = async (i: number): Promise<void> => {
    const counter = troupe.ref(Counter, keys[i % keys.length] as string);
    for (;;) {
      try {
        await counter.add(undefined, { id: `add-${i}`, timeout: "5s" });
        left--;
        return;
      } catch (error) {
        if (!(error instanceof TroupeError && error.retryable)) throw error;
      }
    }
  };
  const terminate = async (): Promise<void> => {
    for (; rounds < 5 && left > 0; rounds++) {
      const enough = left - 20;
      const gone = Date.now() + 2_000;
      while (left > enough && Date.now() < gone) await Bun.sleep(5);
      await admin`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`;
    }
  };
  const adders = Array.from({ length: 8 }, async (_, worker) => {
    for (let i = worker; i < 200; i += 8) await addOnce(i);
  });
  await Promise.all([...adders, terminate()]);

  expect(rounds).toBeGreaterThan(0);
  const values = await Promise.all(keys.map((key) => troupe.ref(Counter, key).value()));
  expect(values).toEqual([50, 50, 50, 50]);
  const events = await admin<{ key: string; count: number }[]>`
    select actor_key as key, (body ->> 'count')::int as count from outbox_records order by partition, seq`;
  for (const key of keys) {
    const counts = events.filter((event) => event.key === key).map((event) => event.count);
    expect(counts).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
  }
  const gaps = await admin`select partition from outbox_records group by partition having max(seq) <> count(*)`;
  expect(gaps.length).toBe(0);
  await admin.end();
});

test("two nodes on one database share nothing: the second waits, and takes over when the first has stopped", async () => {
  await using database = await testDatabase("nodes");
  const first = await createTroupe({ actors: [Counter], stores: { default: postgresStore(database.url) } });
  await using second = await createTroupe({ actors: [Counter], stores: { default: postgresStore(database.url) } });
  expect(await first.ref(Counter, "a").add()).toBe(1);
  expect(second.status().stores[0]?.ownedPartitions).toBe(0);
  const refused = await second
    .ref(Counter, "a")
    .add(undefined, { timeout: "300ms" })
    .catch((error: unknown) => error);
  expect((refused as TroupeError).code).toBe("unavailable");
  await first.stop();
  expect(await second.ref(Counter, "a").add()).toBe(2);
});
