import { expect, test } from "bun:test";
import * as v from "valibot";
import { actor } from "../actor/actor.ts";
import type { Clock } from "../base/clock.ts";
import { memory } from "../memory/memory-store.ts";
import { createTroupe } from "../node/create-troupe.ts";
import type { TopicItem } from "../ports/topics.ts";
import { FaultyStore } from "../testing/faulty-store.ts";
import { topicsConformance } from "../testing/topics-conformance.ts";
import { memoryTopics } from "./memory-topics.ts";

topicsConformance("memoryTopics()", test, async (size) => {
  const topics = memoryTopics(size === "small" ? { maxLength: 65_536 } : {});
  return { node: async () => topics, [Symbol.asyncDispose]: () => topics.close() };
});

const Lamp = actor("lamp", {
  state: v.object({ on: v.boolean() }),
  initial: () => ({ on: false }),
  messages: ({ command }) => ({
    switch: command({ in: v.object({ on: v.boolean(), refuse: v.optional(v.boolean()) }) }, (c, { on, refuse }) => {
      c.state.on = on;
      c.broadcast(`lamps/${c.key}`, "switched", { on });
      c.broadcast("lamps", "switched", { lamp: c.key, on });
      c.require(refuse !== true, "stuck");
    }),
    shout: command({ in: v.object({ topic: v.string(), type: v.string(), length: v.number() }) }, (c, input) => {
      c.broadcast(input.topic, input.type, "x".repeat(input.length));
    }),
  }),
});

async function take(items: AsyncIterator<TopicItem, undefined>, count: number): Promise<unknown[]> {
  const seen: unknown[] = [];
  while (seen.length < count) {
    const { value } = await items.next();
    seen.push(value?.kind === "message" ? [value.topic, value.type, value.data] : value);
  }
  return seen;
}

test("c.broadcast() reaches the followers of its topic after the commit, in order", async () => {
  const topics = memoryTopics();
  await using troupe = await createTroupe({ actors: [Lamp], stores: { default: memory() }, topics });
  const following = await troupe.topics.subscribe(["lamps"]);
  const one = await troupe.topics.subscribe(["lamps/desk"]);
  for (const on of [true, false, true]) await troupe.ref(Lamp, "desk").switch({ on });
  await troupe.ref(Lamp, "hall").switch({ on: true });
  const desk = (on: boolean): unknown => ["lamps", "switched", { lamp: "desk", on }];
  expect((await take(following, 4)).filter((item) => JSON.stringify(item).includes("desk"))).toEqual(
    [true, false, true].map(desk),
  );
  expect(await take(one, 3)).toEqual([true, false, true].map((on) => ["lamps/desk", "switched", { on }]));
});

test("a turn that is refused, or whose commit fails, broadcasts nothing", async () => {
  const topics = memoryTopics();
  const faulty = new FaultyStore(memory());
  await using troupe = await createTroupe({ actors: [Lamp], stores: { default: faulty.store }, topics });
  const following = await troupe.topics.subscribe(["lamps"]);
  const lamp = troupe.ref(Lamp, "desk");
  await lamp.switch({ on: true, refuse: true }).catch(() => undefined);
  faulty.next("refused");
  await lamp.switch({ on: false }).catch(() => undefined);
  await lamp.switch({ on: true });
  expect(await take(following, 1)).toEqual([["lamps", "switched", { lamp: "desk", on: true }]]);
});

test("what was committed before topics were there is broadcast when they are", async () => {
  const store = memory();
  const before = await createTroupe({ actors: [Lamp], stores: { default: store } });
  await before.ref(Lamp, "desk").switch({ on: true });
  expect(() => before.topics).toThrow(TypeError);
  await before.stop();
  const topics = memoryTopics();
  const following = await topics.subscribe(["lamps/desk"]);
  await using _after = await createTroupe({ actors: [Lamp], stores: { default: store }, topics });
  expect(await take(following, 1)).toEqual([["lamps/desk", "switched", { on: true }]]);
});

test("c.broadcast() refuses what is no topic or type, and data over the limit: the turn leaves no trace", async () => {
  await using troupe = await createTroupe({ actors: [Lamp], stores: { default: memory() }, topics: memoryTopics() });
  const shout = (topic: string, type: string, length: number): Promise<unknown> =>
    troupe.ref(Lamp, "desk").shout({ topic, type, length });
  // The actor made it: its caller could not put it right.
  for (const topic of ["", "a b", "a.*", "/a", "a/>"])
    await expect(shout(topic, "t", 1)).rejects.toMatchObject({ code: "turn_failed" });
  for (const type of ["", "a b", "1", "a/b"])
    await expect(shout("a", type, 1)).rejects.toMatchObject({ code: "turn_failed" });
  await expect(shout("a", "t", 65_535)).rejects.toMatchObject({ code: "event_too_large" });
  await shout("a", "t", 65_534);
});

test("memoryTopics() forgets what is older than its history, by the clock", async () => {
  let now = 0;
  const clock: Clock = { now: () => now, monotonic: () => now, after: () => () => undefined };
  const topics = memoryTopics({ clock, maxAgeMs: 1_000 });
  await using troupe = await createTroupe({ actors: [Lamp], stores: { default: memory() }, topics });
  const following = await topics.subscribe(["lamps"]);
  const { position } = following;
  await troupe.ref(Lamp, "desk").switch({ on: true });
  await take(following, 1);
  now = 1_000;
  expect((await (await topics.subscribe(["lamps"], { after: position })).next()).value?.kind).toBe("message");
  now = 1_001;
  expect((await (await topics.subscribe(["lamps"], { after: position })).next()).value?.kind).toBe("gap");
});
