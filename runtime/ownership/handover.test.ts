import { expect, test } from "bun:test";
import * as v from "valibot";
import {
  actor,
  createTroupe,
  memory,
  type OutboxRecord,
  partitionOf,
  type Sink,
  systemClock,
  type Troupe,
} from "#runtime";
import { localNetwork } from "#runtime/testing";

const gates = new Map<string, PromiseWithResolvers<void>>();
function gate(key: string): PromiseWithResolvers<void> {
  const made = gates.get(key) ?? Promise.withResolvers<void>();
  gates.set(key, made);
  return made;
}

const Counter = actor("counter", {
  state: v.object({ count: v.number() }),
  initial: () => ({ count: 0 }),
  emits: { "counter.added.v1": v.object({ count: v.number() }) },
  messages: ({ command, query }) => ({
    add: command({ out: v.number() }, (c) => {
      c.emit("counter.added.v1", { count: ++c.state.count });
      return c.state.count;
    }),
    later: command({}, (c) => c.timers.set("add", { in: "300ms", send: "add" })),
    value: query({ out: v.number() }, (c) => c.state.count),
  }),
});

const Asker = actor("asker", {
  state: v.object({}),
  initial: () => ({}),
  messages: ({ command }) => ({
    /** Runs until the test opens the gate of the key, then asks the counter that `of` names. */
    slow: command({ in: v.object({ of: v.string() }), out: v.number() }, async (c, { of }) => {
      gate(`begun ${c.key}`).resolve();
      await gate(c.key).promise;
      return c.ref(Counter, of).add();
    }),
    rest: command({}, () => Bun.sleep(1)),
  }),
});

const until = async (what: string, check: () => unknown): Promise<void> => {
  const end = Date.now() + 8_000;
  while (!check()) {
    if (Date.now() > end) throw new Error(`It never came that ${what}`);
    await Bun.sleep(1);
  }
};
const held = (node: Troupe): number => node.status().stores[0]?.ownedPartitions ?? 0;
const evenly = (...nodes: Troupe[]): Promise<void> =>
  until("the partitions are shared evenly", () => {
    const counts = nodes.map(held);
    return counts.reduce((a, b) => a + b) === 64 && Math.max(...counts) - Math.min(...counts) <= 1;
  });

/** A key of `other` in the same partition. */
function twinOf(type: string, key: string, other: string): string {
  for (let i = 0; ; i++) if (partitionOf(other, `t${i}`) === partitionOf(type, key)) return `t${i}`;
}

function cluster(sinks: readonly Sink[] = []) {
  const network = localNetwork();
  const store = memory();
  const start = (nodeId: string, more: { readonly owns?: boolean } = {}): Promise<Troupe> =>
    createTroupe({
      actors: [Counter, Asker],
      stores: { default: store },
      transport: network.transport(),
      nodeId,
      leaseMs: 200,
      sinks,
      ...more,
    });
  return { network, store, start };
}

/** Calls all the time, through every node that is in `nodes`, until it is stopped; answers what was counted, by key. */
function load(nodes: Troupe[], callers = 8): () => Promise<Map<string, number>> {
  const counted = new Map<string, number>();
  let over = false;
  const call = async (i: number): Promise<void> => {
    for (let n = 0; !over; n++) {
      const key = `${i}-${n % 16}`;
      const node = nodes[(i + n) % nodes.length] as Troupe;
      await node.ref(Counter, key).add();
      counted.set(key, (counted.get(key) ?? 0) + 1);
      if (n % 5 === 0) await Bun.sleep(0);
    }
  };
  const running = Promise.all(Array.from({ length: callers }, (_, i) => call(i)));
  return async () => {
    over = true;
    await running;
    return counted;
  };
}

test("nodes that join and leave under load get their share, no call fails, and everything is counted once", async () => {
  const { start } = cluster();
  const nodes = [await start("a")];
  const stop = load(nodes);
  for (const name of ["b", "c"]) {
    nodes.push(await start(name));
    await evenly(...nodes);
  }
  const leaving = nodes.shift() as Troupe;
  await leaving.leave();
  expect(held(leaving)).toBe(0);
  // It owns nothing any more, and routes what still comes.
  expect(await leaving.ref(Counter, "late").add()).toBe(1);
  await evenly(...nodes);
  await leaving.stop();
  const counted = await stop();
  for (const [key, count] of counted) expect([key, await nodes[0]?.ref(Counter, key).value()]).toEqual([key, count]);
  await Promise.all(nodes.map((node) => node.stop()));
});

test("a partition with a long turn stays until it has ended, and keeps nobody else waiting", async () => {
  const { start } = cluster();
  // A node keeps its partitions from the first one on: one of the others has to move.
  const long = Array.from({ length: 200 }, (_, i) => `long-${i}`).find((key) => partitionOf("asker", key) === 63) ?? "";
  await using a = await start("a");
  const slow = a.ref(Asker, long).slow({ of: "other" });
  await gate(`begun ${long}`).promise;
  await using b = await start("b");
  await until("the other partitions have moved", () => held(b) >= 28);
  // Its neighbours in the partition wait while it is tried, and are answered where they are when it was in vain.
  expect(await b.ref(Counter, twinOf("asker", long, "counter")).add()).toBe(1);
  gate(long).resolve();
  expect(await slow).toBe(1);
  expect(await b.ref(Counter, "other").value()).toBe(1);
});

test("an actor that is never at rest is handed over all the same, and no call to it fails", async () => {
  const { start } = cluster();
  const nodes = [await start("a")];
  const a = nodes[0] as Troupe;
  let over = false;
  let answered = 0;
  const calling = Promise.all(
    Array.from({ length: 16 }, async () => {
      while (!over) {
        await a.ref(Asker, "busy").rest();
        answered++;
      }
    }),
  );
  await until("it is busy", () => answered > 20);
  // It moves with the second node's share, or with the first node's leave: the partition is one of these.
  nodes.push(await start("b"));
  await evenly(...nodes);
  await a.leave();
  expect(held(a)).toBe(0);
  const before = answered;
  await until("it goes on", () => answered > before + 20);
  over = true;
  await calling;
  await Promise.all(nodes.map((node) => node.stop()));
});

test("a call that a running turn waits for is let into a partition that is about to move", async () => {
  const { start } = cluster();
  await using a = await start("a");
  const keys = Array.from({ length: 64 }, (_, i) => `k${i}`);
  // Every partition has a turn that will ask another actor of the same partition.
  const asked = keys.map((key) => a.ref(Asker, key).slow({ of: twinOf("asker", key, "counter") }));
  await Promise.all(keys.map((key) => gate(`begun ${key}`).promise));
  await using b = await start("b");
  await until("the first partitions are about to move", () => a.status().stores[0]?.movingPartitions);
  for (const key of keys) gate(key).resolve();
  for (const reply of await Promise.all(asked)) expect(reply).toBeGreaterThan(0);
  await evenly(a, b);
});

test("when nodes die, the others share what they held", async () => {
  const { network, store, start } = cluster();
  const nodes = await Promise.all(["a", "b", "c"].map((name) => start(name)));
  await evenly(...nodes);
  const [dead, ...alive] = nodes as [Troupe, Troupe, Troupe];
  network.silent.add("a");
  // Its heartbeats go nowhere from here on, as those of a killed process.
  store.heartbeat = (
    (inner) => (node, leaseMs, info) =>
      node === "a" ? new Promise(() => undefined) : inner(node, leaseMs, info)
  )(store.heartbeat.bind(store));
  await evenly(...alive);
  expect(await alive[0]?.ref(Counter, "x").add()).toBe(1);
  await Promise.all(alive.map((node) => node.stop()));
  expect(dead.nodeId).toBe("a");
});

test("a node that takes no partitions owns none, and routes every call", async () => {
  const { start } = cluster();
  await using ingress = await start("ingress", { owns: false });
  const early = ingress.ref(Counter, "x").add();
  await using owner = await start("owner");
  expect(await early).toBe(1);
  expect(held(ingress)).toBe(0);
  expect(held(owner)).toBe(64);
  const report = await ingress.cluster();
  expect(report.nodes.map(({ id, owns }) => [id, owns])).toEqual([
    ["ingress", false],
    ["owner", true],
  ]);
  expect(report.nodes.find(({ id }) => id === "owner")?.actors).toEqual([
    { type: "counter", inMemory: 1, waiting: 0 },
    { type: "asker", inMemory: 0, waiting: 0 },
  ]);
  expect(new Set(report.stores[0]?.partitions.map(({ node }) => node))).toEqual(new Set(["owner"]));
});

test("a node that does not answer is named in the report, and nobody waits for it", async () => {
  const { network, start } = cluster();
  network.silent.add("mute");
  await using a = await start("a");
  await using mute = await start("mute");
  const report = await a.cluster(20);
  expect(report.nodes.find(({ id }) => id === mute.nodeId)?.actors).toBe(undefined);
  expect(await a.ref(Counter, "x").add()).toBe(1);
});

test("events and timers go on at the next owner: in order, each once, nothing early", async () => {
  const published: OutboxRecord[] = [];
  const sink: Sink = {
    name: "list",
    accepts: "event",
    lane: { kind: "batch", maxBatch: 10 },
    publish: async (records) => {
      await Bun.sleep(1);
      published.push(...records);
      return records.map(() => ({ kind: "acked" }));
    },
    check: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
  const { start } = cluster([sink]);
  const nodes = [await start("a")];
  await Promise.all(Array.from({ length: 32 }, (_, i) => nodes[0]?.ref(Counter, `timer-${i}`).later()));
  const stop = load(nodes);
  nodes.push(await start("b"));
  await evenly(...nodes);
  const counted = await stop();
  for (let i = 0; i < 32; i++) counted.set(`timer-${i}`, 1);
  const events = [...counted.values()].reduce((a, b) => a + b);
  await until("every event is published", () => new Set(published.map(({ id }) => id)).size === events);
  const counts = new Map<string, number[]>();
  for (const { target: key, body } of published) {
    counts.set(key, [...(counts.get(key) ?? []), (JSON.parse(body) as { count: number }).count]);
  }
  for (const [key, count] of counted) {
    expect([key, counts.get(key)]).toEqual([key, Array.from({ length: count }, (_, i) => i + 1)]);
  }
  await Promise.all(nodes.map((node) => node.stop()));
});

test("a healthy handover loses nothing that is told", async () => {
  const { start } = cluster();
  await using first = await start("n1");
  let told = 0;
  let over = false;
  const telling = (async () => {
    while (!over) {
      for (let i = 0; i < 50; i++) first.tell(Counter, `k${told++ % 40}`).add();
      await Bun.sleep(1);
    }
  })();
  await Bun.sleep(30);
  await using second = await start("n2");
  await evenly(first, second);
  over = true;
  await telling;
  const sum = async (): Promise<number> => {
    const counts = await Promise.all(Array.from({ length: 40 }, (_, i) => first.ref(Counter, `k${i}`).value()));
    return counts.reduce((a, b) => a + b);
  };
  const end = Date.now() + 8_000;
  while ((await sum()) < told && Date.now() < end) await Bun.sleep(10);
  expect([await sum(), first.status().droppedTells]).toEqual([told, 0]);
});

test("while the store is away it is asked now and then, however many callers wait", async () => {
  const inner = memory();
  let away = false;
  let asked = 0;
  const store = new Proxy(inner, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        if (!away) return (value as (...args: unknown[]) => unknown).apply(target, args);
        asked++;
        return Promise.reject(new Error("the store is away"));
      };
    },
  });
  const network = localNetwork();
  const start = (nodeId: string): Promise<Troupe> =>
    createTroupe({
      actors: [Counter],
      stores: { default: store },
      transport: network.transport(),
      nodeId,
      leaseMs: 400,
    });
  await using first = await start("n1");
  await using second = await start("n2");
  await evenly(first, second);
  away = true;
  await Bun.sleep(600);
  asked = 0;
  const calls = Array.from({ length: 100 }, (_, i) =>
    (i % 2 === 0 ? first : second)
      .ref(Counter, `k${i}`)
      .add(undefined, { timeout: "1s" })
      .catch(() => undefined),
  );
  await Promise.all(calls);
  expect(asked).toBeLessThan(60);
  away = false;
  const again = Date.now() + 5_000;
  let answer: unknown;
  while (answer === undefined && Date.now() < again)
    answer = await first
      .ref(Counter, "k1")
      .add()
      .catch(() => undefined);
  expect(answer).toBeDefined();
}, 20_000);

test("a node that joins a store of 1,024 partitions gets its half in as many moves as in one of 64", async () => {
  for (const partitions of [64, 1_024]) {
    const inner = memory("m", systemClock, partitions);
    let released = 0;
    const store = new Proxy(inner, {
      get(target, property) {
        if (property === "release") released++;
        const value: unknown = Reflect.get(target, property, target);
        return typeof value === "function" ? (value.bind(target) as unknown) : value;
      },
    });
    const network = localNetwork();
    const start = (nodeId: string): Promise<Troupe> =>
      createTroupe({ actors: [Counter], stores: { default: store }, transport: network.transport(), nodeId });
    await using first = await start("n1");
    await using second = await start("n2");
    await until("each holds a half", () => held(first) === partitions / 2 && held(second) === partitions / 2);
    expect(released).toBe(8);
  }
});
