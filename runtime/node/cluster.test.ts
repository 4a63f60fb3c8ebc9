import { expect, test } from "bun:test";
import * as v from "valibot";
import { actor, createTroupe, memory, type Troupe } from "#runtime";
import { localNetwork } from "#runtime/testing";
import { until } from "../testing/until.ts";

const Counter = actor("counter", {
  state: v.object({ count: v.number() }),
  initial: () => ({ count: 0 }),
  messages: ({ command, query }) => ({
    add: command({ in: v.object({ by: v.number() }), out: v.number() }, (c, { by }) => {
      c.require(by > 0, "not_positive", { by });
      return (c.state.count += by);
    }),
    value: query({ out: v.number() }, (c) => c.state.count),
  }),
});

test("a call reaches the owner on another node, and refusals come back as what they are", async () => {
  const store = memory();
  const network = localNetwork();
  const stores = { default: store };
  await using owner = await createTroupe({ actors: [Counter], stores, transport: network.transport() });
  await using other = await createTroupe({ actors: [Counter], stores, transport: network.transport() });
  expect(other.status().stores[0]?.ownedPartitions).toBe(0);
  expect(await other.ref(Counter, "a").add({ by: 2 })).toBe(2);
  expect(await owner.ref(Counter, "a").value()).toBe(2);
  const refused = await other
    .ref(Counter, "a")
    .add({ by: -1 })
    .catch((error: unknown) => error);
  expect(refused).toMatchObject({ code: "refused", reason: "not_positive", data: { by: -1 } });
});

test("when the owner dies with a call under way, a call with an id goes to the next owner, one without is told", async () => {
  const store = memory();
  const network = localNetwork();
  const stores = { default: store };
  const owner = await createTroupe({
    actors: [Counter],
    stores,
    transport: network.transport(),
    nodeId: "dying",
    leaseMs: 60_000,
  });
  await using other = await createTroupe({ actors: [Counter], stores, transport: network.transport(), leaseMs: 200 });
  network.silent.add("dying");
  const withId = other.ref(Counter, "a").add({ by: 1 }, { id: "once" });
  const query = other.ref(Counter, "b").value();
  const withoutId = other
    .ref(Counter, "c")
    .add({ by: 1 })
    .catch((error: unknown) => error);
  while (network.sent.length < 3) await Bun.sleep(1);
  await store.heartbeat("dying", 0);
  expect(await withId).toBe(1);
  expect(await query).toBe(0);
  expect(await withoutId).toMatchObject({ code: "deadline_exceeded" });
  await owner.stop(0);
});

test("the application of every node is asked, and one that is away or has nothing to say holds nobody up", async () => {
  const network = localNetwork();
  const stores = { default: memory() };
  const nodeOf = (nodeId: string, answers?: Record<string, (input: unknown) => unknown>) =>
    createTroupe({
      actors: [Counter],
      stores,
      nodeId,
      transport: network.transport(),
      leaseMs: 300,
      ...(answers !== undefined && { answers }),
    });
  const hello = (who: string) => ({ hello: async (input: unknown) => ({ who, input }) });
  await using _first = await nodeOf("first", hello("first"));
  await using second = await nodeOf("second", hello("second"));
  await using _third = await nodeOf("third");
  const fourth = await nodeOf("fourth", hello("fourth"));
  const knows = (node: Troupe) =>
    until(
      async () => (await node.cluster()).nodes.length,
      (count) => count === 4,
    );
  await knows(second);
  network.silent.add("fourth");
  const answers = await second.askNodes("hello", { n: 1 }, 50);
  expect(answers.toSorted((a, b) => (a.node < b.node ? -1 : 1))).toEqual([
    { node: "first", answer: { who: "first", input: { n: 1 } } },
    { node: "fourth", answer: undefined },
    { node: "second", answer: { who: "second", input: { n: 1 } } },
    { node: "third", answer: undefined },
  ]);
  await fourth.stop(0);
});
