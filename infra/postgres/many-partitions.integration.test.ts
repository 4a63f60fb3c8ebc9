import { expect, setDefaultTimeout, test } from "bun:test";
import * as v from "valibot";
import { actor, createTroupe, type OutboxRecord, partitionOf, type Sink, type Store, type Troupe } from "#runtime";
import { localNetwork } from "#runtime/testing";
import { testDatabase } from "../stack/for-tests.ts";
import { eventually } from "../testing/eventually.ts";
import { projection } from "./projections/projection.ts";
import { postgresReadModel } from "./projections/read-model.ts";
import { postgresStore } from "./store.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(120_000);

const PARTITIONS = 1_024;
const KEYS = Array.from({ length: 1_500 }, (_, i) => `k${i}`);
const FAR_KEYS = KEYS.filter((key) => partitionOf("counter", key, PARTITIONS) >= 64);

const Counter = actor("counter", {
  state: v.object({ count: v.number() }),
  initial: () => ({ count: 0 }),
  journal: true,
  emits: { "counter.added.v1": v.object({ count: v.number() }) },
  apply: { "counter.added.v1": (state, { count }) => void (state.count = count) },
  messages: ({ command, query }) => ({
    add: command({}, (c) => c.emit("counter.added.v1", { count: c.state.count + 1 })),
    value: query({ out: v.number() }, (c) => c.state.count),
  }),
});

const Passer = actor("passer", {
  state: v.object({ passed: v.number() }),
  initial: () => ({ passed: 0 }),
  index: ["passed"],
  messages: ({ command }) => ({
    /** Lets a counter add, and that of its own key when a timer fires. */
    pass: command({ in: v.string() }, (c, to) => {
      c.state.passed++;
      c.send(Counter, to, "add");
      c.timers.set("later", { in: "200ms", send: "add" });
    }),
    add: command({}, (c) => c.send(Counter, c.key, "add")),
  }),
});

/** Keeps the counts it is given, by key. */
function recorder(name: string): Sink & { readonly counts: Map<string, number[]> } {
  const counts = new Map<string, number[]>();
  return {
    name,
    counts,
    accepts: "event",
    lane: { kind: "batch", maxBatch: 500 },
    publish: async (records: readonly OutboxRecord[]) =>
      records.map(({ target, body }) => {
        const { count } = JSON.parse(body) as { count: number };
        counts.set(target, [...(counts.get(target) ?? []), count]);
        return { kind: "acked" };
      }),
    check: async () => undefined,
    close: async () => undefined,
  };
}

/** Every count of every key in order; one may come again after a move. */
function isWhole({ counts }: { readonly counts: ReadonlyMap<string, readonly number[]> }, each: number): boolean {
  return KEYS.every((key) => {
    const seen = counts.get(key) ?? [];
    const first = seen.filter((count, i) => seen.indexOf(count) === i);
    return first.length === each && first.every((count, i) => count === i + 1);
  });
}

const held = (...nodes: readonly Troupe[]): number[] =>
  nodes.map((node) => node.status().stores[0]?.ownedPartitions ?? 0);

test("nodes, relays, sends, timers and indexes work with 1,024 partitions, and what was missed is read from the outbox", async () => {
  await using database = await testDatabase("many_partitions");
  const network = localNetwork();
  const sink = recorder("first");
  const stores = () => ({ default: postgresStore(database.url, { partitions: PARTITIONS }) });
  const start = (nodeId: string, sinks: readonly Sink[], store: Record<string, Store> = stores()): Promise<Troupe> =>
    createTroupe({
      actors: [Counter, Passer],
      stores: store,
      transport: network.transport(),
      nodeId,
      sinks,
      leaseMs: 2_000,
    });

  const first = await start("n1", [sink]);
  {
    await using second = await start("n2", [sink]);
    // While half of the partitions move.
    const calls = Promise.all(KEYS.map((key, i) => (i % 2 === 0 ? first : second).ref(Counter, key).add()));
    await eventually("each node holds a half", 20_000, async () => held(first, second).every((count) => count === 512));
    await calls;
    const neighbour = (i: number): string => KEYS[(i + 1) % KEYS.length] ?? "";
    await Promise.all(KEYS.map((key, i) => second.ref(Passer, key).pass(neighbour(i), { id: `pass-${key}` })));
    await eventually("every send and timer has acted, and its event has arrived in order", 30_000, async () =>
      isWhole(sink, 3),
    );
    expect((await first.where(Passer, { passed: 1 }, { limit: 200 })).length).toBe(200);
  }
  await eventually("the other node has taken over", 20_000, async () => held(first)[0] === PARTITIONS);
  await first.stop();

  // A sink that has seen nothing yet reads the outbox of every partition. A node that asks for no number takes what there is.
  const late = recorder("late");
  await using third = await start("n3", [late], { default: postgresStore(database.url) });
  await eventually("the new node holds all", 20_000, async () => held(third)[0] === PARTITIONS);
  await eventually("everything was read from the table", 20_000, async () => isWhole(late, 3));
  expect(await third.ref(Counter, FAR_KEYS[0] ?? "").value()).toBe(3);
});

test("a projection has the events of all of 1,024 partitions, those before its first build too", async () => {
  await using database = await testDatabase("many_projected");
  const store = (): Store => postgresStore(database.url, { partitions: PARTITIONS });
  const keys = FAR_KEYS.slice(0, 300);
  {
    await using before = await createTroupe({ actors: [Counter], stores: { default: store() } });
    await Promise.all(keys.map((key) => before.ref(Counter, key).add()));
  }
  const reads = postgresReadModel(database.url, {
    projections: [
      projection("counts", {
        version: 1,
        tables: "create table counts (key text primary key, count int not null)",
        from: [Counter],
        on: {
          "counter.added.v1": (sql, { actor: { key }, data: { count } }) => sql`
            insert into counts values (${key}, ${count}) on conflict (key) do update set count = excluded.count`,
        },
      }),
    ],
  });
  await using troupe = await createTroupe({ actors: [Counter], stores: { default: store() }, projections: [reads] });
  await eventually("the first build is live", 20_000, async () => troupe.status().projections[0]?.version === 1);
  await Promise.all(keys.map((key) => troupe.ref(Counter, key).add()));
  await troupe.projectionSettled("counts", 10_000);
  const rows = await reads.query("counts", (sql) => sql<{ key: string }[]>`select key from counts where count = 2`);
  expect(rows.length).toBe(keys.length);
});
