import { expect, setDefaultTimeout, test } from "bun:test";
import postgres from "postgres";
import * as v from "valibot";
import { actor, createTroupe, type DeadLetter, memory, type OutboxRecord, type Store, type Troupe } from "#runtime";
import { testDatabase } from "../../stack/for-tests.ts";
import { eventually } from "../../testing/eventually.ts";
import { type Projection, projection, type ProjectionSql } from "./projection.ts";
import { type PostgresReadModel, postgresReadModel } from "./read-model.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

const Account = actor("account", {
  state: v.object({ balance: v.number(), moves: v.number() }),
  initial: () => ({ balance: 0, moves: 0 }),
  journal: true,
  emits: { "account.moved.v1": v.object({ by: v.number() }), "account.closed.v1": v.object({}) },
  apply: {
    "account.moved.v1": (state, { by }) => {
      state.balance += by;
      state.moves++;
    },
    "account.closed.v1": null,
  },
  messages: ({ command }) => ({
    move: command({ in: v.number() }, (c, by) => c.emit("account.moved.v1", { by })),
    close: command({}, (c) => {
      c.emit("account.closed.v1", {});
      c.destroy();
    }),
  }),
});

interface Hooks {
  before?: (key: string, by: number) => void | Promise<void>;
}

/** Adds up, so that an event applied twice or out of order shows: `trail` holds every move. */
function accounts(version: number, hooks: Hooks = {}, deadLetterAfter?: number): Projection {
  return projection("accounts", {
    version,
    tables: `create table accounts (key text primary key, balance int not null, trail int[] not null default '{}')`,
    from: [Account],
    on: {
      "account.moved.v1": async (sql, { actor: { key }, data: { by } }) => {
        await hooks.before?.(key, by);
        await sql`
          insert into accounts as a (key, balance, trail) values (${key}, ${by}, array[${by}::int])
          on conflict (key) do update set balance = a.balance + excluded.balance, trail = a.trail || excluded.trail`;
      },
      "account.closed.v1": (sql: ProjectionSql, { actor: { key } }) => sql`delete from accounts where key = ${key}`,
    },
    ...(deadLetterAfter === undefined ? {} : { deadLetterAfter }),
  });
}

interface Row {
  readonly key: string;
  readonly balance: number;
  readonly trail: string;
}

const rowsOf = async (reads: PostgresReadModel): Promise<Row[]> => [
  ...(await reads.query("accounts", (sql) => sql<Row[]>`select key, balance, trail::text from accounts order by key`)),
];

const live = (troupe: Troupe, version: number): Promise<unknown> =>
  eventually(`version ${version} is live`, 20_000, async () => {
    const status = troupe.status().projections[0];
    return status?.version === version && status.building === undefined;
  });

async function open(url: string, store: Store, projections: readonly Projection[], nodeId?: string) {
  const reads = postgresReadModel(url, { projections });
  const troupe = await createTroupe({
    actors: [Account],
    stores: { default: store },
    projections: [reads],
    ...(nodeId === undefined ? {} : { nodeId }),
  });
  return { reads, troupe, [Symbol.asyncDispose]: () => troupe.stop() };
}

async function move(troupe: Troupe, count: number, keys = 20): Promise<void> {
  for (let i = 0; i < count; i += 50) {
    const batch = Array.from({ length: Math.min(50, count - i) }, (_, j) => i + j);
    await Promise.all(batch.map((n) => troupe.ref(Account, `k${n % keys}`).move(n + 1)));
  }
}

/** What the journals say the table should hold. */
async function expected(troupe: Troupe): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { key, state } of await troupe.list(Account, { limit: 200 })) {
    const entries = await troupe.journal(Account, key, { limit: 1_000 });
    const moves = entries.map(({ data }) => (data as { by: number }).by);
    rows.push({ key, balance: state.balance, trail: `{${moves.join(",")}}` });
  }
  return rows;
}

async function untilEqual(troupe: Troupe, reads: PostgresReadModel): Promise<Row[]> {
  const wanted = await expected(troupe);
  const fits = async (): Promise<boolean> => Bun.deepEquals(await rowsOf(reads), wanted);
  await eventually("the tables hold what the journals say", 20_000, fits).catch(() => undefined);
  expect(await rowsOf(reads)).toEqual(wanted);
  return wanted;
}

test("a projection follows its actors in order and exactly once, and goes on after a restart", async () => {
  await using database = await testDatabase("projection");
  const store = memory();
  const first = await open(database.url, store, [accounts(1)]);
  await live(first.troupe, 1);
  await move(first.troupe, 400);
  await first.troupe.ref(Account, "gone").move(1);
  await first.troupe.ref(Account, "gone").close();
  await untilEqual(first.troupe, first.reads);
  // What was read from the journals already is still handed over, and passed over.
  await eventually("nothing waits", 5_000, async () => first.troupe.status().projections[0]?.behind === 0);
  expect(first.troupe.status().projections).toEqual([
    { name: "accounts", version: 1, building: undefined, behind: 0, oldestMs: 0, failing: [] },
  ]);
  await first.troupe.stop();
  await using second = await open(database.url, store, [accounts(1)]);
  await move(second.troupe, 100);
  await untilEqual(second.troupe, second.reads);
});

test("events that are handed over again are passed over by their position", async () => {
  await using database = await testDatabase("projection");
  const gate = Promise.withResolvers<void>();
  let entered = 0;
  const before = (): Promise<void> => (entered++, gate.promise);
  await using system = await open(database.url, memory(), [accounts(1, { before })]);
  await live(system.troupe, 1);
  const build = (await system.reads.builds("accounts"))[0];
  if (build === undefined) throw new Error("no build");
  const options = { known: () => true, skip: () => false };
  const records = [1, 2, 3].map((seq) => record("x", seq));
  // Two nodes with the same events at once: one waits for the other's positions, and then has nothing to do.
  const both = Promise.all([
    system.reads.apply(build, records, options),
    system.reads.apply(build, records.slice(0, 2), options),
  ]);
  const sql = postgres(database.url, { max: 1 });
  try {
    await eventually("the second one waits, or is in a handler too", 10_000, async () => {
      const waiting = await sql`
        select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
      return entered > 1 || (entered === 1 && waiting.length > 0);
    });
  } finally {
    await sql.end();
  }
  gate.resolve();
  await both;
  await system.reads.apply(build, [record("x", 2), record("x", 4)], options);
  expect(await rowsOf(system.reads)).toEqual([{ key: "x", balance: 10, trail: "{1,2,3,4}" }]);
});

test("a failing handler stops its partition only, shows in the status, and goes on when it succeeds", async () => {
  await using database = await testDatabase("projection");
  let broken = true;
  const before = (key: string): void => {
    if (broken && key === "k3") throw new Error("cannot take k3");
  };
  await using system = await open(database.url, memory(), [accounts(1, { before })]);
  await live(system.troupe, 1);
  await move(system.troupe, 200);
  const wanted = await expected(system.troupe);
  const others = wanted.filter(({ key }) => key !== "k3");
  await eventually("all other partitions go on", 20_000, async () => {
    const rows = await rowsOf(system.reads);
    // Keys that share the partition of k3 may wait behind it.
    return rows.length >= others.length - 2 && system.troupe.status().projections[0]?.failing.length === 1;
  });
  const status = system.troupe.status().projections[0];
  expect(status?.failing[0]).toContain("Cannot apply account.moved.v1 of account/k3 to accounts: cannot take k3");
  expect(status?.behind).toBeGreaterThan(0);
  expect(status?.oldestMs).toBeGreaterThan(0);
  broken = false;
  await untilEqual(system.troupe, system.reads);
  await eventually(
    "nothing fails any more",
    5_000,
    async () => system.troupe.status().projections[0]?.failing.length === 0,
  );
});

test("an event that fails in the middle of a history is named, and everything comes in once it succeeds", async () => {
  await using database = await testDatabase("projection");
  let broken = true;
  const before = (key: string, by: number): void => {
    if (broken && key === "k3" && by === 44) throw new Error("cannot take 44");
  };
  await using system = await open(database.url, memory(), [accounts(1, { before })]);
  await live(system.troupe, 1);
  await move(system.troupe, 400);
  await eventually("the event is named", 20_000, async () => {
    const failing = system.troupe.status().projections[0]?.failing ?? [];
    return failing.length === 1 && failing[0]?.includes("account/k3 to accounts: cannot take 44");
  });
  broken = false;
  await untilEqual(system.troupe, system.reads);
});

test("with deadLetterAfter an event whose handler keeps failing becomes a dead letter, and its partition goes on", async () => {
  await using database = await testDatabase("projection");
  const store = memory();
  const letters: DeadLetter[] = [];
  const record_ = store.recordDeadLetters.bind(store);
  store.recordDeadLetters = (batch) => {
    letters.push(...batch);
    return record_(batch);
  };
  const before = (_key: string, by: number): void => {
    if (by === 2) throw new Error("never 2");
  };
  await using system = await open(database.url, store, [accounts(1, { before }, 3)]);
  await live(system.troupe, 1);
  for (const by of [1, 2, 3]) await system.troupe.ref(Account, "a").move(by);
  await eventually("the third event is there", 10_000, async () => (await rowsOf(system.reads))[0]?.trail === "{1,3}");
  expect(letters.map(({ reason, target, attempts }) => [reason, target, attempts])).toEqual([
    ["poison", "projection:accounts", 3],
  ]);
});

test("a new version is built beside the old one while both events and queries go on; then readers move over", async () => {
  await using database = await testDatabase("projection");
  const store = memory();
  const first = await open(database.url, store, [accounts(1)]);
  await live(first.troupe, 1);
  await move(first.troupe, 1_000);
  await untilEqual(first.troupe, first.reads);
  await first.troupe.stop();

  // Slow enough that events come while it is built.
  const before = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 0));
  await using system = await open(database.url, store, [accounts(1), accounts(2, { before })]);
  const watched = new AbortController();
  let queries = 0;
  const reading = (async () => {
    for (let least = 0; !watched.signal.aborted; queries++) {
      const rows = await rowsOf(system.reads);
      const moves = rows.reduce((sum, { trail }) => sum + trail.split(",").length, 0);
      // Neither an error nor, but for what is on its way, a step back.
      expect(moves).toBeGreaterThanOrEqual(least - 200);
      least = Math.max(least, moves);
    }
  })();
  await move(system.troupe, 1_000);
  await live(system.troupe, 2);
  await move(system.troupe, 200);
  await untilEqual(system.troupe, system.reads);
  watched.abort();
  await reading;
  expect(queries).toBeGreaterThan(10);

  const sql = postgres(database.url, { max: 1 });
  try {
    await eventually("the tables of version 1 are gone", 15_000, async () => {
      const found = await sql`select 1 from information_schema.schemata where schema_name = 'accounts_v1'`;
      return found.length === 0;
    });
  } finally {
    await sql.end();
  }
});

test("two nodes that begin the same rebuild do it once, while events go on", async () => {
  await using database = await testDatabase("projection");
  const store = memory();
  const applied: string[] = [];
  let counting = false;
  const before = (key: string, by: number): void => {
    if (counting) applied.push(`${key}/${by}`);
  };
  await using one = await open(database.url, store, [accounts(1, { before })], "one");
  await using two = await open(database.url, store, [accounts(1, { before })], "two");
  await live(one.troupe, 1);
  await move(one.troupe, 600);
  await untilEqual(one.troupe, one.reads);
  counting = true;
  const [a, b] = await Promise.all([
    one.troupe.rebuildProjection("accounts"),
    two.troupe.rebuildProjection("accounts"),
  ]);
  expect(a.id).toBe(b.id);
  await eventually("the new build is live", 20_000, async () => {
    const builds = await one.reads.builds("accounts");
    return builds.length === 1 && builds[0]?.id === a.id && builds[0].state === "live";
  });
  counting = false;
  expect(applied.length).toBe(600);
  await move(one.troupe, 100);
  await untilEqual(one.troupe, one.reads);
});

test("a build whose node died in the middle is ended by another from where it was", async () => {
  await using database = await testDatabase("projection");
  const store = memory();
  // Many events per partition, so that the build has many transactions.
  const first = await open(database.url, store, [accounts(1)], "first");
  await live(first.troupe, 1);
  await move(first.troupe, 900, 3);
  await first.troupe.stop();

  const stuck = Promise.withResolvers<void>();
  let applied = 0;
  const dying = await open(
    database.url,
    store,
    [accounts(2, { before: () => (++applied > 400 ? stuck.promise : undefined) })],
    "dying",
  );
  await eventually("it is in the middle", 20_000, async () => applied > 400);
  const sql = postgres(database.url, { max: 1 });
  try {
    const progress = async (): Promise<number> =>
      Number(
        (
          await sql`select count(*) as n from projections.positions p join projections.builds b on b.id = p.build where b.version = 2 and p.seq > 0`
        )[0]?.["n"],
      );
    expect(await progress()).toBeGreaterThan(0);
    // What is left of a dead node: a lease that runs out, and transactions that the server rolls back.
    await store.heartbeat("dying", 0);
    await sql`select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`;
    await sql`update projections.builds set lease_until = now() where version = 2`;
    let again = 0;
    await using next = await open(database.url, store, [accounts(2, { before: () => void again++ })], "next");
    await live(next.troupe, 2);
    await untilEqual(next.troupe, next.reads);
    expect(again).toBeLessThan(900);
    stuck.resolve();
    await dying.troupe.stop(0);
    await untilEqual(next.troupe, next.reads);
  } finally {
    await sql.end();
  }
});

test("a query before the first build is unavailable, and a projection of a type without a journal is refused", async () => {
  await using database = await testDatabase("projection");
  const reads = postgresReadModel(database.url, { projections: [accounts(1)] });
  await reads.open();
  expect(await rowsOf(reads).catch((error: unknown) => error)).toMatchObject({ code: "unavailable" });
  const Plain = actor("plain", { state: v.object({}), initial: () => ({}), messages: () => ({}) });
  const plain = projection("plain", { version: 1, tables: "", from: [Plain], on: {} });
  const refused = createTroupe({
    actors: [Plain],
    stores: { default: memory() },
    projections: [postgresReadModel(database.url, { projections: [plain] })],
  });
  await expect(refused).rejects.toThrow("Cannot project plain into plain as it keeps no journal");
  expect(() => projection("orders_v1", { version: 1, tables: "", from: [Plain], on: {} })).toThrow(
    "no name that is taken",
  );
  await reads.close();
});

function record(key: string, by: number): OutboxRecord {
  return {
    partition: 1,
    seq: by,
    kind: "event",
    id: `evt_${by}`,
    name: "account.moved.v1",
    actor: { type: "account", key },
    target: key,
    body: JSON.stringify({ by }),
    at: 1,
    traceparent: undefined,
  };
}
