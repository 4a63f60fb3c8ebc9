import { expect, setDefaultTimeout, test } from "bun:test";
import * as v from "valibot";
import { actor, createTroupe, memory, type Sink, type Store } from "#runtime";
import { ManualClock } from "../testing/manual-clock.ts";

setDefaultTimeout(60_000);

const Counter = actor("counter", {
  state: v.object({ n: v.number() }),
  initial: () => ({ n: 0 }),
  emits: { "counter.counted.v1": v.object({ n: v.number() }) },
  messages: ({ command, query }) => ({
    add: command({}, (c) => {
      c.state.n++;
      c.emit("counter.counted.v1", { n: c.state.n });
    }),
    n: query({ out: v.number() }, (c) => c.state.n),
  }),
});

const Sender = actor("sender", {
  state: v.object({ n: v.number() }),
  initial: () => ({ n: 0 }),
  messages: ({ command }) => ({
    send: command({}, (c) => {
      c.state.n++;
      c.send(Counter, "b", "add");
    }),
  }),
});

/** A sink that takes everything, or fails. */
function sink(name: string, works: () => boolean): Sink & { readonly took: string[] } {
  const took: string[] = [];
  return {
    name,
    took,
    accepts: "event",
    lane: { kind: "batch", maxBatch: 10 },
    publish: (records) => {
      if (!works()) return Promise.reject(new Error(`${name} is down`));
      took.push(...records.map(({ body }) => body));
      return Promise.resolve(records.map(() => ({ kind: "acked" as const })));
    },
    check: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

async function eventsIn(store: Store): Promise<number> {
  const everywhere = Array.from({ length: 64 }, (_, partition) => ({ partition, after: 0 }));
  return (await store.readOutbox("event", everywhere, 10)).length;
}

/** How long things are kept here; housekeeping comes by every minute. */
const RETENTION_MS = 60_000;
const LONGER = "4m";
/** Few renewals: each is a round of the clock. */
const LEASE_MS = 60_000;

test("events that no sink takes are kept, however old they are", async () => {
  const clock = new ManualClock();
  const store = memory("m", clock);
  await using troupe = await createTroupe({
    actors: [Counter],
    stores: { default: store },
    clock,
    retentionMs: RETENTION_MS,
    leaseMs: LEASE_MS,
  });
  await troupe.ref(Counter, "a").add();
  await clock.advance(LONGER);
  expect(await eventsIn(store)).toBe(1);
});

test("what a sink has not taken is kept by a node that does not have it; once all have, it goes", async () => {
  const clock = new ManualClock();
  const store = memory("m", clock);
  const [one, two] = [sink("one", () => true), sink("two", () => false)];
  const base = { actors: [Counter], stores: { default: store }, clock, retentionMs: RETENTION_MS, leaseMs: LEASE_MS };
  const both = await createTroupe({ ...base, sinks: [one, two] });
  await both.ref(Counter, "a").add();
  await clock.advance("1s");
  expect([one.took, two.took]).toEqual([['{"n":1}'], []]);
  await both.stop(0);
  const fewer = await createTroupe({ ...base, sinks: [one] });
  await clock.advance(LONGER);
  expect(await eventsIn(store)).toBe(1);
  await fewer.stop(0);
  const again = sink("two", () => true);
  await using all = await createTroupe({ ...base, sinks: [one, again] });
  await clock.advance("1s");
  expect(again.took).toEqual(['{"n":1}']);
  await clock.advance(LONGER);
  expect(await eventsIn(store)).toBe(0);
  expect(all.status().sinks.map(({ pending }) => pending)).toEqual([0, 0, 0]);
});

test("a send acts once, also when its acknowledgement is lost and it comes again after replies are pruned", async () => {
  const clock = new ManualClock();
  const inner = memory("m", clock);
  let saves = false;
  const store = new Proxy(inner, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== "function") return value;
      if (property !== "saveCursors") return value.bind(target) as unknown;
      return async (...args: unknown[]) => (saves ? (value.apply(target, args) as unknown) : undefined);
    },
  });
  const base = {
    actors: [Counter, Sender],
    stores: { default: store },
    clock,
    retentionMs: RETENTION_MS,
    leaseMs: LEASE_MS,
  };
  const first = await createTroupe(base);
  await first.ref(Sender, "a").send();
  await clock.advance("1s");
  expect(await first.ref(Counter, "b").n()).toBe(1);
  await first.pause("counter", "b", "looked at");
  await first.stop(0); // no cursor was saved: the send comes again at the next node, and waits for its actor
  saves = true;
  await using second = await createTroupe(base);
  await clock.advance(LONGER);
  await second.resume("counter", "b");
  await clock.advance("30s");
  expect(await second.ref(Counter, "b").n()).toBe(1);
});

test("stop() closes the transport, and tells the error, where a store's close fails", async () => {
  const closed: string[] = [];
  const store = new Proxy(memory(), {
    get(target, property) {
      if (property === "close") return () => Promise.reject(new Error("the disk is gone"));
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
  const troupe = await createTroupe({
    actors: [Counter],
    stores: { default: store },
    transport: {
      serve: () => Promise.resolve(),
      call: () => Promise.reject(new Error("there is nobody")),
      close: async () => void closed.push("transport"),
    },
  });
  await troupe.ref(Counter, "a").add();
  const error: unknown = await troupe.stop(100).catch((thrown: unknown) => thrown);
  expect(String(error)).toContain("the disk is gone");
  expect(closed).toEqual(["transport"]);
});
