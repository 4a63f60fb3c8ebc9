import { expect, test } from "bun:test";
import * as v from "valibot";
import { eventually } from "#infra/testing/eventually.ts";
import { actor, createTroupe, memory } from "#runtime";
import { localNetwork } from "#runtime/testing";
import { createIngress } from "../app.ts";
import { stubDeps } from "../testing/stub-deps.ts";
import type { ActorsAnswer } from "./actors.ts";

const Note = actor("note", {
  state: v.object({ text: v.string() }),
  initial: () => ({ text: "" }),
  messages: ({ command }) => ({ write: command({ in: v.string() }, (c, text) => void (c.state.text = text)) }),
});

test("GET /actors shows the whole cluster from any node, and says which node did not answer", async () => {
  const network = localNetwork();
  const stores = { default: memory() };
  const start = (nodeId: string, owns: boolean) =>
    createTroupe({
      actors: [Note],
      stores,
      transport: network.transport(),
      nodeId,
      owns,
      address: () => `http://${nodeId}.test`,
      leaseMs: 60_000,
    });
  await using owner = await start("owner", true);
  await using edge = await start("edge", false);
  await edge.ref(Note, "a").write("x");
  await owner.ref(Note, "b").write("y");
  const app = createIngress(stubDeps({ troupe: () => edge }));
  const ask = async (): Promise<ActorsAnswer> => {
    const response = await app.handle(new Request("http://localhost/actors"));
    expect(response.status).toBe(200);
    return (await response.json()) as ActorsAnswer;
  };
  const all = await ask();
  expect(all.types).toEqual([{ type: "note", store: "default", inMemory: 2, mailboxDepth: 0 }]);
  expect(
    all.nodes.map(({ id, address, owns, answered, partitions }) => [id, address, owns, answered, partitions]),
  ).toEqual(
    expect.arrayContaining([
      ["owner", "http://owner.test", true, true, 64],
      ["edge", "http://edge.test", false, true, 0],
    ]),
  );
  expect(all.stores[0]?.partitions).toHaveLength(64);
  expect(all.stores[0]?.partitions[0]).toEqual({ partition: 0, node: "owner", epoch: 1 });

  network.silent.add("owner");
  const { nodes, types } = await ask();
  expect(nodes.find(({ id }) => id === "owner")).toMatchObject({ answered: false, inMemory: null, partitions: 64 });
  expect(types[0]?.inMemory).toBe(0);
});

test("GET /actors shows every subscription as the node sees it that consumes, from any node", async () => {
  const network = localNetwork();
  const stores = { default: memory() };
  const Listener = actor("listener", {
    state: v.object({}),
    initial: () => ({}),
    messages: ({ command }) => ({ note: command({}, () => undefined) }),
    subscribe: { "note.written.v1": { to: () => "a", send: "note" } },
  });
  const source = {
    name: "fake",
    start: () => ({ stop: async () => undefined, lag: async () => 7 }),
    check: async () => undefined,
  };
  const start = (nodeId: string, owns: boolean) =>
    createTroupe({
      ...{ actors: [Listener], stores, nodeId, owns, leaseMs: 60_000 },
      ...{ transport: network.transport(), sources: { default: source } },
    });
  await using _ = await start("owner", true);
  await using edge = await start("edge", false);
  const app = createIngress(stubDeps({ troupe: () => edge }));
  await eventually("the lag is known", 10_000, async () => {
    const response = await app.handle(new Request("http://localhost/actors"));
    const { subscriptions } = (await response.json()) as ActorsAnswer;
    expect(subscriptions).toMatchObject([{ actor: "listener", source: "fake", node: "owner", failing: null }]);
    return subscriptions[0]?.lag === 7;
  });
});
