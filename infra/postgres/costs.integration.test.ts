/**
 * What the hot paths cost in statements and rows, as the server counts them. These numbers are the same on every machine: a
 * change that adds a statement or a row to a turn or to a load turns this red. Lower a bound whenever you can.
 */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import * as v from "valibot";
import { actor, createTroupe, type Store, type Troupe } from "#runtime";
import { testDatabase, type TestDatabase } from "../stack/for-tests.ts";
import { withConnection } from "../stack/postgres.ts";
import { postgresStore } from "./store.ts";

setDefaultTimeout(120_000);

const Account = actor("account", {
  state: v.object({ n: v.number() }),
  initial: () => ({ n: 0 }),
  emits: { "account.added.v1": v.object({ by: v.number() }) },
  messages: ({ command, query }) => ({
    add: command({ in: v.object({ by: v.number() }), out: v.number() }, (c, { by }) => {
      c.emit("account.added.v1", { by });
      return (c.state.n += by);
    }),
    /** Says what it was told, and changes nothing. */
    note: command({ in: v.object({ by: v.number() }) }, (c, { by }) => c.emit("account.added.v1", { by })),
    n: query({ out: v.number() }, (c) => c.state.n),
  }),
});

const ACTORS = 500;
const LANES = 2;
const keys = Array.from({ length: ACTORS }, (_, i) => `k${i}`);

let database: TestDatabase;

/** A node on a store whose calls are counted by their names. The lease is long: renewals are no part of what is counted. */
interface Counted extends AsyncDisposable {
  readonly troupe: Troupe;
  readonly calls: Map<string, number>;
}

async function start(): Promise<Counted> {
  const calls = new Map<string, number>();
  const store = new Proxy(postgresStore(database.url), {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]): unknown => {
        calls.set(String(property), (calls.get(String(property)) ?? 0) + 1);
        return value.apply(target, args);
      };
    },
  }) as Store;
  const troupe = await createTroupe({ actors: [Account], stores: { default: store }, lanes: LANES });
  return { troupe, calls, [Symbol.asyncDispose]: () => troupe.stop() };
}

/** What `work` calls of the store, by name. */
async function callsOf({ calls }: Counted, work: () => Promise<unknown>): Promise<(name: string) => number> {
  const before = new Map(calls);
  await work();
  return (name) => (calls.get(name) ?? 0) - (before.get(name) ?? 0);
}

interface ServerCounts {
  readonly statements: number;
  readonly written: number;
}

/** What the server has counted for this database; complete once the connections of the store are closed. */
async function serverCounts(): Promise<ServerCounts> {
  const elsewhere = new URL(database.url);
  const name = elsewhere.pathname.slice(1);
  elsewhere.pathname = "/postgres";
  return withConnection(elsewhere.href, async (sql) => {
    for (;;) {
      const [left] = await sql<{ count: number }[]>`
        select count(*)::int as count from pg_stat_activity where datname = ${name} and backend_type = 'client backend'`;
      if (left?.count === 0) break;
    }
    const [row] = await sql<ServerCounts[]>`
      select xact_commit::int as statements, (tup_inserted + tup_updated + tup_deleted)::int as written
      from pg_stat_database where datname = ${name}`;
    return row as ServerCounts;
  });
}

/** How often rows of the states were written, as the server has counted: complete as {@link serverCounts} is. */
async function rowsWritten(): Promise<{ readonly states: number }> {
  await serverCounts();
  return withConnection(database.url, async (sql) => {
    const [row] = await sql<{ states: number }[]>`
      select (n_tup_ins + n_tup_upd + n_tup_del)::int as states from pg_stat_user_tables where relname = 'actor_states'`;
    return row ?? { states: 0 };
  });
}

beforeAll(async () => {
  database = await testDatabase("costs");
  await using node = await start();
  await Promise.all(keys.map((key) => node.troupe.ref(Account, key).add({ by: 1 }, { id: `first-${key}` })));
});

afterAll(() => database[Symbol.asyncDispose]());

test("stored actors are loaded many at a time, by one statement each time", async () => {
  await using node = await start();
  const calls = await callsOf(node, () => Promise.all(keys.map((key) => node.troupe.ref(Account, key).n())));
  expect(calls("load")).toBeLessThanOrEqual(6);
  expect(calls("findReplies")).toBe(0);
});

test("turns that come together are one commit a lane, also with ids that are new to the actor", async () => {
  await using node = await start();
  await Promise.all(keys.map((key) => node.troupe.ref(Account, key).n()));
  const calls = await callsOf(node, () =>
    Promise.all(keys.map((key) => node.troupe.ref(Account, key).add({ by: 1 }, { id: `second-${key}` }))),
  );
  expect(calls("commit")).toBeLessThanOrEqual(2 * LANES);
  expect(calls("findReplies")).toBe(0);
  expect(calls("load")).toBe(0);
});

test("a repeat is answered by one look at its id", async () => {
  await using node = await start();
  const { troupe } = node;
  await troupe.ref(Account, "k7").n();
  const calls = await callsOf(node, async () => {
    expect(await troupe.ref(Account, "k7").add({ by: 1 }, { id: "first-k7" })).toBe(1);
  });
  expect([calls("findReplies"), calls("commit")]).toEqual([1, 0]);
});

test("a load is one statement, and so is a durable turn with an id and an event, which writes four rows", async () => {
  const TURNS = 200;
  const before = await serverCounts();
  await using node = await start();
  const ref = node.troupe.ref(Account, "alone");
  const calls = await callsOf(node, async () => {
    for (let i = 0; i < TURNS; i++) await ref.add({ by: 1 }, { id: `alone-${i}` });
  });
  expect(calls("commit")).toBe(TURNS);
  for (const key of keys.slice(0, TURNS)) await node.troupe.ref(Account, key).n();
  expect(node.calls.get("load")).toBe(TURNS + 1);
  await node.troupe.stop();
  const after = await serverCounts();
  const all = [...node.calls.values()].reduce((sum, count) => sum + count, 0);
  // A method of the store is a statement: a few more look at the schema, and the session is looked after.
  expect(after.statements - before.statements).toBeLessThanOrEqual(all + TURNS / 4);
  // The fence, the state, the reply, the page of the outbox; to begin with and to end, a node writes some rows of its own.
  expect(after.written - before.written).toBeLessThanOrEqual(4 * TURNS + 64 * 4 + TURNS / 4);
});

test("a turn that leaves the state as it was writes three rows: none of them is its state", async () => {
  const TURNS = 200;
  const { states } = await rowsWritten();
  const before = await serverCounts();
  {
    await using node = await start();
    for (let i = 0; i < TURNS; i++) await node.troupe.ref(Account, "alone").note({ by: 1 }, { id: `note-${i}` });
  }
  const after = await serverCounts();
  // The fence, the reply, the page of the outbox; to begin with and to end, a node writes some rows of its own.
  expect(after.written - before.written).toBeLessThanOrEqual(3 * TURNS + 64 * 4 + TURNS / 4);
  expect((await rowsWritten()).states - states).toBe(0);
});
