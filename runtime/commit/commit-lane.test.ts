import { expect, test } from "bun:test";
import * as v from "valibot";
import {
  actor,
  createTroupe,
  type CommitBatch,
  type Fence,
  memory,
  partitionOf,
  type OutboxRecord,
  type PublishResult,
  type Sink,
  TroupeError,
} from "#runtime";
import { FaultyStore } from "../testing/faulty-store.ts";

const Counter = actor("counter", {
  state: v.object({ count: v.number() }),
  initial: () => ({ count: 0 }),
  emits: { "counter.added.v1": v.object({ count: v.number() }) },
  messages: ({ command, query }) => ({
    add: command({ in: v.object({ by: v.number() }), out: v.number() }, (c, { by }) => {
      c.state.count += by;
      c.emit("counter.added.v1", { count: c.state.count });
      return c.state.count;
    }),
    refuseAbove: command({ in: v.object({ limit: v.number() }) }, (c, { limit }) => {
      c.require(c.state.count <= limit, "above", { count: c.state.count });
    }),
    refuseLater: command({ in: v.object({ after: v.custom<Promise<void>>(() => true) }) }, async (c, { after }) => {
      await after;
      c.refuse("seen", { count: c.state.count });
    }),
    value: query({ out: v.number() }, (c) => c.state.count),
  }),
});

/** A sink that keeps what it gets. */
function recorder(): { sink: Sink; records: OutboxRecord[] } {
  const records: OutboxRecord[] = [];
  return {
    records,
    sink: {
      name: "recorder",
      accepts: "event",
      lane: { kind: "batch", maxBatch: 100 },
      publish: async (batch): Promise<readonly PublishResult[]> => {
        records.push(...batch);
        return batch.map(() => ({ kind: "acked" }));
      },
      check: () => Promise.resolve(),
      close: () => Promise.resolve(),
    },
  };
}

async function outcome<T>(promise: Promise<T>): Promise<T | string> {
  return promise.catch((error: unknown) => (error instanceof TroupeError ? error.code : String(error)));
}

/** Lets everything that is ready to run do so. */
async function settle(): Promise<void> {
  for (let i = 0; i < 50; i++) await Promise.resolve();
}

test("a reply, a query, a refusal and a repeat wait for the commit they rest on", async () => {
  const faulty = new FaultyStore(memory());
  await using troupe = await createTroupe({ actors: [Counter], stores: { default: faulty.store } });
  const counter = troupe.ref(Counter, "a");
  await counter.value();
  const open = faulty.hold();
  const answers: string[] = [];
  const note = (name: string) => (): void => void answers.push(name);
  const all = [
    counter.add({ by: 1 }, { id: "m" }).then(note("reply")),
    counter.value().then(note("query")),
    counter.refuseAbove({ limit: 0 }).catch(note("refusal")),
    counter.add({ by: 1 }, { id: "m" }).then(note("repeat")),
  ];
  await settle();
  expect(answers).toEqual([]);
  open();
  await Promise.all(all);
  expect(answers.toSorted()).toEqual(["query", "refusal", "repeat", "reply"]);
});

test("a repeat of what is durable is answered at once, and does not fail with the turns after it", async () => {
  const faulty = new FaultyStore(memory());
  await using troupe = await createTroupe({ actors: [Counter], stores: { default: faulty.store } });
  const counter = troupe.ref(Counter, "a");
  expect(await counter.add({ by: 1 }, { id: "m" })).toBe(1);
  const open = faulty.hold();
  faulty.next("refused");
  const later = outcome(counter.add({ by: 10 }));
  await settle();
  expect(await counter.add({ by: 1 }, { id: "m" })).toBe(1);
  open();
  expect(await later).toBe("commit_failed");
});

test("turns that finish while a commit is under way share the next one", async () => {
  const faulty = new FaultyStore(memory());
  await using troupe = await createTroupe({ actors: [Counter], stores: { default: faulty.store }, lanes: 1 });
  const counter = troupe.ref(Counter, "a");
  await counter.value();
  const open = faulty.hold();
  const adds = Array.from({ length: 100 }, () => counter.add({ by: 1 }));
  await settle();
  open();
  expect((await Promise.all(adds)).at(-1)).toBe(100);
  expect(faulty.commits).toBeLessThanOrEqual(2);
});

test("when a commit fails, everything that rested on it fails, and the actor goes on from what is stored", async () => {
  const faulty = new FaultyStore(memory());
  await using troupe = await createTroupe({ actors: [Counter], stores: { default: faulty.store } });
  const counter = troupe.ref(Counter, "a");
  expect(await counter.add({ by: 1 })).toBe(1);
  const open = faulty.hold();
  faulty.next("refused");
  const first = outcome(counter.add({ by: 10 }));
  await settle();
  const built = outcome(counter.add({ by: 100 }));
  const seen = outcome(counter.value());
  await settle();
  open();
  expect(await Promise.all([first, built, seen])).toEqual(["commit_failed", "commit_failed", "commit_failed"]);
  expect(await counter.add({ by: 1 })).toBe(2);
});

test("a query and a refusal beside a failed commit show nothing of it, though a turn that was built on it still runs", async () => {
  const faulty = new FaultyStore(memory());
  await using troupe = await createTroupe({ actors: [Counter], stores: { default: faulty.store } });
  const counter = troupe.ref(Counter, "a");
  await counter.add({ by: 1 });
  const open = faulty.hold();
  faulty.next("refused");
  const first = outcome(counter.add({ by: 10 }));
  const { promise: after, resolve } = Promise.withResolvers<void>();
  const running = outcome(counter.refuseLater({ after }));
  await settle();
  open();
  expect(await first).toBe("commit_failed");
  const read = counter.value();
  resolve();
  expect(await read).toBe(1);
  expect(await running).toBe("commit_failed");
});

test("a turn the store refuses fails alone, its neighbours in the batch are written", async () => {
  const faulty = new FaultyStore(memory());
  await using troupe = await createTroupe({ actors: [Counter], stores: { default: faulty.store }, lanes: 1 });
  const keys = ["a", "b", "c"];
  for (const key of keys) await troupe.ref(Counter, key).value();
  faulty.refuse((batch) => batch.states.some((state) => state.key === "b"));
  const outcomes = await Promise.all(keys.map((key) => outcome(troupe.ref(Counter, key).add({ by: 1 }))));
  expect(outcomes).toEqual([1, "commit_failed", 1]);
});

test("a commit whose answer was lost counts when it happened, and its reply is given", async () => {
  const faulty = new FaultyStore(memory());
  await using troupe = await createTroupe({ actors: [Counter], stores: { default: faulty.store } });
  const counter = troupe.ref(Counter, "a");
  faulty.next("lost-after");
  expect(await counter.add({ by: 1 })).toBe(1);
  expect(await counter.add({ by: 1 })).toBe(2);
});

test("a commit that was lost on the way is answered as failed, and did not happen", async () => {
  const faulty = new FaultyStore(memory());
  await using troupe = await createTroupe({ actors: [Counter], stores: { default: faulty.store } });
  const counter = troupe.ref(Counter, "a");
  faulty.next("lost-before");
  expect(await outcome(counter.add({ by: 1 }))).toBe("commit_failed");
  expect(await counter.add({ by: 1 })).toBe(1);
});

test("a commit is known although the first try to settle it had no answer", async () => {
  const inner = memory();
  const raise = inner.settle.bind(inner);
  let answers = false;
  inner.settle = async (node, fences) => {
    const grants = await raise(node, fences);
    if (!answers) {
      answers = true;
      throw new Error("the answer was lost");
    }
    return grants;
  };
  const faulty = new FaultyStore(inner);
  const { sink, records } = recorder();
  await using troupe = await createTroupe({ actors: [Counter], stores: { default: faulty.store }, sinks: [sink] });
  const counter = troupe.ref(Counter, "a");
  faulty.next("lost-after");
  expect(await outcome(counter.add({ by: 1 }))).toBe(1);
  expect(await counter.add({ by: 1 }, { timeout: "5s" })).toBe(2);
  await troupe.stop();
  expect(records.map((record) => record.seq)).toEqual([1, 2]);
});

test("a partition whose epoch was raised unheard is taken anew: its actors work and its events leave", async () => {
  const store = memory();
  const { sink, records } = recorder();
  const nodeId = "node_a";
  await using troupe = await createTroupe({ nodeId, actors: [Counter], stores: { default: store }, sinks: [sink] });
  const counter = troupe.ref(Counter, "a");
  expect(await counter.add({ by: 1 })).toBe(1);
  const partition = partitionOf("counter", "a");
  await store.settle(nodeId, [{ partition, epoch: 0 }]);
  expect(await counter.add({ by: 1 }, { timeout: "5s" })).toBe(2);
  await troupe.stop();
  // The first may come twice: its cursor was not saved.
  expect([...new Set(records.map((record) => record.seq))]).toEqual([1, 2]);
});

test("events are numbered without a gap, in order, whatever happened to the commits between", async () => {
  const faulty = new FaultyStore(memory());
  const { sink, records } = recorder();
  await using troupe = await createTroupe({ actors: [Counter], stores: { default: faulty.store }, sinks: [sink] });
  const counter = troupe.ref(Counter, "a");
  for (const fault of ["refused", "lost-after", "lost-before", undefined] as const) {
    if (fault !== undefined) faulty.next(fault);
    await outcome(counter.add({ by: 1 }));
  }
  await troupe.stop();
  expect(records.map((record) => record.seq)).toEqual([1, 2]);
  expect(records.map((record) => JSON.parse(record.body))).toEqual([{ count: 1 }, { count: 2 }]);
});

test("a node that lost its partitions cannot write, and hands the caller over to the new owner's state", async () => {
  const inner = memory();
  const stale = new FaultyStore(inner);
  await using first = await createTroupe({
    actors: [Counter],
    stores: { default: stale.store },
    nodeId: "first",
    leaseMs: 60_000,
  });
  expect(await first.ref(Counter, "a").add({ by: 1 })).toBe(1);
  // What a pause longer than the lease amounts to: while a turn of `first` waits for its commit, the lease runs out.
  const open = stale.hold();
  const late = outcome(first.ref(Counter, "a").add({ by: 10 }, { timeout: "300ms" }));
  await settle();
  await inner.heartbeat("first", 0);
  await using second = await createTroupe({ actors: [Counter], stores: { default: inner }, nodeId: "second" });
  expect(await second.ref(Counter, "a").add({ by: 1 })).toBe(2);
  open();
  expect(["fenced", "unavailable", "deadline_exceeded"]).toContain(String(await late));
  expect(await second.ref(Counter, "a").value()).toBe(2);
});

test("an actor that the store always refuses is set apart: its neighbours share no commit with it any more", async () => {
  const faulty = new FaultyStore(memory());
  await using troupe = await createTroupe({ actors: [Counter], stores: { default: faulty.store }, lanes: 1 });
  const keys = Array.from({ length: 50 }, (_, i) => `k${i}`);
  await Promise.all(keys.map((key) => troupe.ref(Counter, key).value()));
  let spoiled = 0;
  faulty.refuse((batch) => {
    const bad = batch.states.some((state) => state.key === "bad");
    if (bad && batch.states.length > 1) spoiled++;
    return bad;
  });
  for (let round = 0; round < 20; round++) {
    const bad = outcome(troupe.ref(Counter, "bad").add({ by: 1 }));
    const good = await Promise.all(keys.map((key) => outcome(troupe.ref(Counter, key).add({ by: 1 }))));
    expect(new Set(good)).toEqual(new Set([round + 1]));
    if (round % 5 === 0) expect(await bad).toBe("commit_failed");
  }
  // The search for it halves the batch: six steps for fifty actors.
  expect(spoiled).toBeLessThan(10);
  faulty.refuse(() => false);
  while ((await outcome(troupe.ref(Counter, "bad").add({ by: 1 }))) === "commit_failed");
  expect(await troupe.ref(Counter, "bad").value()).toBeGreaterThan(0);
});

for (const fault of ["broke-before", "broke-after"] as const) {
  test(`a connection that ends with an error on no list (${fault}) is an unknown outcome: its partition goes on`, async () => {
    const faulty = new FaultyStore(memory());
    await using troupe = await createTroupe({ actors: [Counter], stores: { default: faulty.store } });
    const counter = troupe.ref(Counter, "a");
    await counter.add({ by: 1 });
    faulty.next(fault);
    const broken = await outcome(counter.add({ by: 1 }));
    expect(broken).toBe(fault === "broke-after" ? 2 : "commit_failed");
    expect(await counter.add({ by: 1 })).toBe(fault === "broke-after" ? 3 : 2);
  });
}

test("a partition that was lost costs the turns of that partition: the rest of the batch is written", async () => {
  const inner = memory();
  let lost: number | undefined;
  const store = new Proxy(inner, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (property !== "commit" || typeof value !== "function")
        return typeof value === "function" ? value.bind(target) : value;
      return async (node: string, batch: CommitBatch) => {
        if (lost !== undefined && batch.fences.some(({ partition }) => partition === lost)) {
          await inner.heartbeat("thief", 60_000);
          const fence = batch.fences.find(({ partition }) => partition === lost) as Fence;
          lost = undefined;
          await inner.release(node, [fence]);
          await inner.acquire("thief", [fence.partition]);
        }
        return inner.commit(node, batch);
      };
    },
  });
  await using troupe = await createTroupe({ actors: [Counter], stores: { default: store }, lanes: 1 });
  const keys = Array.from({ length: 20 }, (_, i) => `k${i}`);
  await Promise.all(keys.map((key) => troupe.ref(Counter, key).value()));
  const moved = partitionOf("counter", "k0");
  lost = moved;
  const answers = await Promise.all(
    keys.map((key) => outcome(troupe.ref(Counter, key).add({ by: 1 }, { timeout: "400ms" }))),
  );
  keys.forEach((key, i) => {
    expect([key, answers[i]]).toEqual([key, partitionOf("counter", key) === moved ? "unavailable" : 1]);
  });
});

test("what throws behind a commit fails none of its turns", async () => {
  const { sink } = recorder();
  const takes = (): boolean => {
    throw new Error("the sink cannot tell");
  };
  await using troupe = await createTroupe({
    actors: [Counter],
    stores: { default: memory() },
    sinks: [{ ...sink, takes }],
  });
  expect(await outcome(troupe.ref(Counter, "a").add({ by: 1 }))).toBe(1);
  expect(await outcome(troupe.ref(Counter, "a").add({ by: 1 }))).toBe(2);
});
