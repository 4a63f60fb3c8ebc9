import { expect, test } from "bun:test";
import * as v from "valibot";
import { actor, createTroupe, memory, partitionOf, type Store, systemClock, type Troupe, TroupeError } from "#runtime";
import { systemRandomness } from "../base/randomness.ts";
import { Partition } from "../ownership/partition.ts";
import type { IndexFill } from "../ports/store.ts";
import { IndexFiller } from "./filler.ts";

const state = v.object({ onHand: v.number() });
const messages = { set: v.number() };

const Before = actor("item", {
  state,
  initial: () => ({ onHand: 0 }),
  messages: ({ command }) => ({ set: command({ in: messages.set }, (c, onHand) => void (c.state.onHand = onHand)) }),
});
const Item = actor("item", {
  state,
  initial: () => ({ onHand: 0 }),
  index: ["onHand"],
  messages: ({ command }) => ({ set: command({ in: messages.set }, (c, onHand) => void (c.state.onHand = onHand)) }),
});

/** A store whose `fillIndex` goes through `before` first. */
function watched(inner: Store, before: (fill: IndexFill) => Promise<void> | void): Store {
  return new Proxy(inner, {
    get: (target, property) => {
      if (property === "fillIndex") {
        return async (...args: Parameters<Store["fillIndex"]>) => {
          await before(args[2]);
          await target.fillIndex(...args);
        };
      }
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

async function stored(...values: readonly number[]): Promise<Store> {
  const store = memory();
  await using troupe = await createTroupe({ actors: [Before], stores: { default: store } });
  await Promise.all(values.map((value, i) => troupe.ref(Before, `k${i}`).set(value)));
  return store;
}

/** The keys, or the code of the refusal. */
function ask(troupe: Troupe, onHand: number): Promise<readonly string[] | string> {
  return troupe.where(Item, { onHand }).then(
    (rows) => rows.map(({ key }) => key),
    (error: unknown) => (error instanceof TroupeError ? error.code : String(error)),
  );
}

async function once(troupe: Troupe, onHand: number): Promise<readonly string[] | string> {
  for (;;) {
    const answer = await ask(troupe, onHand);
    if (answer !== "index_incomplete") return answer;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test("where() refuses until the actors stored before are in the index, and then finds them", async () => {
  const gate = Promise.withResolvers<void>();
  const store = watched(await stored(1, 2, 1), ({ actors }) => (actors.length > 0 ? gate.promise : undefined));
  await using troupe = await createTroupe({ actors: [Item], stores: { default: store } });
  expect(await ask(troupe, 1)).toBe("index_incomplete");
  gate.resolve();
  expect(await once(troupe, 1)).toEqual(["k0", "k2"]);
});

test("a new database is complete from the start", async () => {
  await using troupe = await createTroupe({ actors: [Item], stores: { default: memory() } });
  expect(await ask(troupe, 1)).toEqual([]);
});

test("a value read before a turn never replaces what the turn wrote", async () => {
  const reached = Promise.withResolvers<void>();
  const gate = Promise.withResolvers<void>();
  const store = watched(await stored(1), ({ actors }) => {
    if (actors.length === 0) return undefined;
    reached.resolve();
    return gate.promise;
  });
  await using troupe = await createTroupe({ actors: [Item], stores: { default: store } });
  await reached.promise; // with 1 in its hands
  await troupe.ref(Item, "k0").set(2);
  gate.resolve();
  expect([await once(troupe, 2), await once(troupe, 1)]).toEqual([["k0"], []]);
});

test("filling goes on after the store failed", async () => {
  let failures = 2;
  const store = watched(await stored(1), ({ actors }) => {
    if (actors.length > 0 && failures-- > 0) throw new Error("the store is away");
  });
  await using troupe = await createTroupe({ actors: [Item], stores: { default: store } });
  expect(await once(troupe, 1)).toEqual(["k0"]);
});

test("while a node that does not index a field holds actors, another refuses; it fills anew when it takes over", async () => {
  const store = memory();
  const first = await createTroupe({ actors: [Item], stores: { default: store } });
  await first.ref(Item, "k0").set(1);
  await first.stop();
  // What it does in the background has not begun: the record has to be gone before its first turn.
  const gate = Promise.withResolvers<void>();
  const held = watched(store, ({ complete }) => (complete === undefined ? undefined : gate.promise));
  const old = await createTroupe({ actors: [Before], stores: { default: held }, leaseMs: 100 });
  await using second = await createTroupe({ actors: [Item], stores: { default: store }, leaseMs: 100 });
  await old.ref(Before, "k0").set(2);
  expect(await ask(second, 2)).toBe("index_incomplete");
  gate.resolve();
  await old.stop();
  expect([await once(second, 2), await once(second, 1)]).toEqual([["k0"], []]);
});

test("filling lets other work run, also on a store that answers at once", async () => {
  let others = 0;
  const othersAtRecords: number[] = [];
  const store = watched(await stored(1, 2, 3), ({ actors, complete }) => {
    if (actors.length > 0) setImmediate(() => others++);
    if (complete !== undefined) othersAtRecords.push(others);
  });
  await using troupe = await createTroupe({ actors: [Item], stores: { default: store } });
  await once(troupe, 1);
  expect(othersAtRecords[0]).toBe(3);
});

test("a partition that was lost and taken back during a pass is not recorded by that pass", async () => {
  const inner = memory();
  await inner.heartbeat("a", 60_000);
  const grants = await inner.acquire("a");
  const partitions = new Map(grants.map((grant) => [grant.partition, new Partition(grant)]));
  const key = "k0";
  const [home] = partitions.keys();
  await inner.commit("a", {
    fences: grants.slice(0, 1).map((grant) => ({ ...grant, lastSeq: 0 })),
    states: [{ type: "item", key, partition: home ?? 0, version: 1, state: '{"onHand":1}' }],
    ...{ replies: [], outbox: [], timers: [], index: [] },
  });
  const fills: (readonly string[] | undefined)[] = [];
  const done = Promise.withResolvers<void>();
  const store = watched(inner, ({ complete }) => {
    fills.push(complete);
    if (fills.filter((fields) => fields !== undefined).length === partitions.size - 1) done.resolve();
  });
  const filler = new IndexFiller([Item], {
    ...{ store, nodeId: "a", clock: systemClock, randomness: systemRandomness },
    partitions: { partition: (id) => partitions.get(id), of: (type, key) => partitionOf(type, key) },
    log: { failed: (_what, error) => done.reject(error) },
  });
  const open = await filler.opening([...partitions.values()]);
  const [again] = grants;
  if (again !== undefined) partitions.set(again.partition, new Partition(again));
  open();
  await done.promise;
  expect((await inner.indexedFields([...partitions.keys()])).map(({ partition }) => partition)).not.toContain(
    again?.partition,
  );
  filler.stop();
});

test("an actor whose state cannot be read is left out of the index, and keeps it from nobody else", async () => {
  const store = memory();
  const made = (version: number) =>
    actor("member", {
      version,
      ...(version > 1 && {
        index: ["name"] as const,
        migrate: {
          1: (old: unknown) => {
            if ((old as { name: string }).name === "boom") throw new Error("it cannot be read");
            return old as object;
          },
        },
      }),
      state: v.object({ name: v.string() }),
      initial: () => ({ name: "" }),
      messages: ({ command }) => ({ set: command({ in: v.string() }, (c, name) => void (c.state.name = name)) }),
    });
  const before = await createTroupe({ actors: [made(1)], stores: { default: store } });
  await before.call("member", "good", "set", "x");
  await before.call("member", "bad", "set", "boom");
  await before.stop();
  const After = made(2);
  await using after = await createTroupe({ actors: [After], stores: { default: store } });
  const found = async (): Promise<unknown> =>
    after.where(After, { name: "x" } as never).then(
      (rows) => rows.map(({ key }) => key),
      (error: { code: string }) => error.code,
    );
  const until = performance.now() + 4_000;
  while ((await found()) === "index_incomplete" && performance.now() < until) await Bun.sleep(5);
  expect(await found()).toEqual(["good"]);
});
