import { expect, test } from "bun:test";
import * as v from "valibot";
import { actor } from "../actor/actor.ts";
import { subscription } from "../actor/subscription.ts";
import { memory } from "../memory/memory-store.ts";
import { createTroupe } from "../node/create-troupe.ts";
import type { Handled, Source, SourceSubscription } from "../ports/source.ts";
import { until } from "../testing/until.ts";

/** A broker that is a list of the consumers that were started. */
function fakeSource(): Source & { readonly started: (SourceSubscription & { stopped: boolean })[] } {
  const started: (SourceSubscription & { stopped: boolean })[] = [];
  return {
    name: "fake",
    started,
    start(wanted) {
      const consumer = { ...wanted, stopped: false };
      started.push(consumer);
      return { stop: async () => void (consumer.stopped = true), lag: async () => 7 };
    },
    check: () => Promise.resolve(),
  };
}

const event = (id: string, subject: string, data: unknown = {}, more: object = {}): { readonly body: string } => ({
  body: JSON.stringify({
    specversion: "1.0",
    id,
    source: `/order/${subject}`,
    type: "order.placed.v1",
    subject,
    data,
    ...more,
  }),
});

const broken = new Set<string>();
const Tally = actor("tally", {
  state: v.object({ seen: v.array(v.string()) }),
  initial: () => ({ seen: [] }),
  poison: { after: 3 },
  messages: ({ command, query }) => ({
    note: command({ in: v.object({ word: v.string() }) }, (c, { word }) => {
      c.require(word !== "forbidden", "forbidden");
      if (broken.has(word)) throw new Error(`Cannot note ${word}`);
      c.state.seen.push(word);
    }),
    seen: query({ out: v.array(v.string()) }, (c) => [...c.state.seen]),
  }),
  subscribe: {
    "order.placed.v1": subscription(v.object({ word: v.string(), to: v.optional(v.string()) }), {
      to: ({ subject, data }) => (data.to === "nobody" ? undefined : (data.to ?? subject)),
      send: "note",
      with: ({ data: { word } }) => ({ word }),
    }),
  },
});

async function node(store = memory()) {
  const source = fakeSource();
  const troupe = await createTroupe({ actors: [Tally], stores: { default: store }, sources: { default: source } });
  const consumer = await until(
    () => source.started.at(-1),
    (found) => found !== undefined,
  );
  if (consumer === undefined) throw new Error("no consumer was started");
  return { troupe, store, source, consumer, [Symbol.asyncDispose]: () => troupe.stop() };
}

test("an event becomes a command of the actor it is for, and is taken after the commit", async () => {
  await using n = await node();
  expect(n.consumer).toMatchObject({ consumer: "tally", types: ["order.placed.v1"] });
  expect(await n.consumer.handle(event("evt_1", "a", { word: "one" }))).toBe("taken");
  expect(await n.troupe.ref(Tally, "a").seen()).toEqual(["one"]);
});

test("an event that comes again is taken without a second effect, also while the first is under way", async () => {
  await using n = await node();
  const twice = [1, 2].map(() => n.consumer.handle(event("evt_1", "a", { word: "one" })));
  expect(await Promise.all(twice)).toEqual(["taken", "taken"]);
  expect(await n.consumer.handle(event("evt_1", "a", { word: "one" }))).toBe("taken");
  expect(await n.troupe.ref(Tally, "a").seen()).toEqual(["one"]);
});

test("events of different sources are different, also when they have one id", async () => {
  await using n = await node();
  const long = `/order/${"x".repeat(400)}`;
  const sources = ["/order/a", "/order/b", "/sources/github", "a", "a b", long, `${long}y`];
  for (const [i, source] of sources.entries())
    expect(await n.consumer.handle(event("1", "a", { word: String(i) }, { source }))).toBe("taken");
  expect(await n.consumer.handle(event("b 1", "a", { word: "other" }, { source: "a" }))).toBe("taken");
  expect(await n.troupe.ref(Tally, "a").seen()).toEqual([...sources.map((_, i) => String(i)), "other"]);
});

test("a type that only some may send is not taken from anybody else", async () => {
  const source = fakeSource();
  const Careful = actor("careful", {
    state: v.object({ seen: v.array(v.string()) }),
    initial: () => ({ seen: [] }),
    messages: ({ command, query }) => ({
      note: command({}, (c) => void c.state.seen.push(c.key)),
      seen: query({ out: v.array(v.string()) }, (c) => [...c.state.seen]),
    }),
    subscribe: {
      "order.placed.v1": { from: "order", to: ({ subject }) => subject, send: "note" },
      "order.paid.v1": subscription(v.object({}), {
        from: ["order", "payment"],
        to: ({ subject }) => subject,
        send: "note",
      }),
    },
  });
  const logged: string[] = [];
  await using troupe = await createTroupe({
    actors: [Careful],
    stores: { default: memory() },
    sources: { default: source },
    log: (_, name) => void logged.push(name),
  });
  const consumer = await until(
    () => source.started.at(-1),
    (found) => found !== undefined,
  );
  for (const [i, forged] of [
    "/sources/github",
    "/events",
    "/order/b",
    "/order/a/",
    "order/a",
    "/payment/a",
    "",
  ].entries())
    expect(await consumer?.handle(event(String(i), "a", {}, forged === "" ? {} : { source: forged }))).toBe("taken");
  expect(await consumer?.handle(event("7", "a", {}, { type: "order.paid.v1", source: "/payment/a" }))).toBe("taken");
  expect(await consumer?.handle(event("8", "a", {}, { type: "order.paid.v1", source: "/stock/a" }))).toBe("taken");
  expect(await troupe.ref(Careful, "a").seen()).toEqual(["a", "a"]);
  expect(logged.filter((name) => name === "subscription:foreign").length).toBe(7);
});

test("an event for nobody, or of a type nobody asked for, is taken and does nothing", async () => {
  await using n = await node();
  expect(await n.consumer.handle(event("evt_1", "a", { word: "one", to: "nobody" }))).toBe("taken");
  expect(await n.consumer.handle(event("evt_2", "a", {}, { type: "order.paid.v1" }))).toBe("taken");
  expect(await n.consumer.handle(event("evt_3", "a", {}, { type: "toString" }))).toBe("taken");
  expect((await n.troupe.deadLetters.list()).items).toEqual([]);
});

test("a failing key is tried poison.after times, keeps its order, and holds up no other key", async () => {
  broken.add("bad");
  await using n = await node();
  const done: string[] = [];
  const hand = (id: string, key: string, word: string): Promise<void> =>
    n.consumer.handle(event(id, key, { word })).then(() => void done.push(id));
  const all = [hand("evt_1", "a", "bad"), hand("evt_2", "a", "next"), hand("evt_3", "b", "other")];
  await Promise.all(all);
  expect(done).toEqual(["evt_3", "evt_1", "evt_2"]);
  expect(await n.troupe.ref(Tally, "a").seen()).toEqual(["next"]);
  const { items } = await n.troupe.deadLetters.list();
  expect(items).toMatchObject([{ reason: "poison", type: "tally", target: "tally/a", attempts: 3 }]);

  broken.delete("bad");
  expect(await n.troupe.deadLetters.replay(items[0]?.id ?? "")).toMatchObject({ failed: [] });
  expect(await n.troupe.ref(Tally, "a").seen()).toEqual(["next", "bad"]);
});

test.each([
  ["that the actor refuses", event("evt_1", "a", { word: "forbidden" })],
  ["whose data does not fit", event("evt_1", "a", { word: 1 })],
  ["whose key is none", event("evt_1", "a", { word: "one", to: "" })],
  ["that is no JSON", { body: "{" }],
  ["that is no CloudEvent", { body: "{}" }],
  ["whose id could be no message id", event("", "a", { word: "one" })],
])("an event %s is a dead letter at once", async (_, message) => {
  await using n = await node();
  expect(await n.consumer.handle(message)).toBe("taken");
  expect((await n.troupe.deadLetters.list()).items).toMatchObject([{ reason: "poison", type: "tally", attempts: 1 }]);
});

test("an event of a paused actor waits until it is resumed, and comes later where the node stops", async () => {
  const n = await node();
  await n.troupe.pause("tally", "a", "test");
  const waiting = n.consumer.handle(event("evt_1", "a", { word: "one" }));
  await until(
    () => n.troupe.status().subscriptions[0],
    (status) => status?.failing?.includes("paused") === true,
  );
  await n.troupe.resume("tally", "a");
  expect(await waiting).toBe("taken");

  await n.troupe.pause("tally", "a", "test");
  const left: Promise<Handled>[] = ["evt_2", "evt_3"].map((id) => n.consumer.handle(event(id, "a", { word: id })));
  await until(
    () => n.troupe.status().subscriptions[0]?.inFlight,
    (count) => count === 2,
  );
  await n.troupe.stop();
  expect(await Promise.all(left)).toEqual(["later", "later"]);
  expect(n.consumer.stopped).toBe(true);
  expect(await n.consumer.handle(event("evt_4", "a", { word: "x" }))).toBe("later");
});

test("one node of several consumes, and the next one takes over when it stops", async () => {
  const store = memory();
  const first = await node(store);
  const source = fakeSource();
  await using second = await createTroupe({
    actors: [Tally],
    stores: { default: store },
    sources: { default: source },
    leaseMs: 200,
  });
  expect(second.status().subscriptions).toMatchObject([{ actor: "tally", source: "fake", here: false }]);
  expect(source.started).toEqual([]);
  await first.troupe.stop();
  await until(
    () => second.status().subscriptions[0],
    (status) => status?.here === true && status.lag === 7,
  );
  expect([first.consumer.stopped, source.started.length]).toEqual([true, 1]);
});

test("a type takes the source of its name before the default, and without one it waits", async () => {
  const named = fakeSource();
  const other = fakeSource();
  await using a = await createTroupe({
    actors: [Tally],
    stores: { default: memory() },
    sources: { default: other, tally: named },
  });
  await using b = await createTroupe({ actors: [Tally], stores: { default: memory() } });
  await until(
    () => named.started.length,
    (count) => count === 1,
  );
  expect([a.status().subscriptions.length, b.status().subscriptions.length, other.started.length]).toEqual([1, 0, 0]);
});

test("actor() refuses a subscription that sends what is no command", () => {
  const options = {
    state: v.object({}),
    initial: () => ({}),
    messages: () => ({}),
  };
  const subscribe: Readonly<Record<string, never>> = JSON.parse('{"order.placed.v1": {"send": "lost"}}');
  expect(() => actor("lost", { ...options, subscribe })).toThrow(
    'Cannot subscribe lost to "order.placed.v1" as it has no command "lost"',
  );
});
