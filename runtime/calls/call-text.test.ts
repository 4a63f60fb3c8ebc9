import { expect, test } from "bun:test";
import * as v from "valibot";
import { actor, createTroupe, memory, type TroupeError } from "#runtime";
import { LocalNetwork } from "../testing/local-network.ts";

const Shelf = actor("shelf", {
  state: v.object({ items: v.array(v.string()) }),
  initial: () => ({ items: [] as string[] }),
  messages: ({ command, query }) => ({
    put: command({ in: v.string(), out: v.object({ items: v.array(v.string()), count: v.number() }) }, (c, item) => {
      c.state.items.push(item);
      return { items: [...c.state.items], count: c.state.items.length };
    }),
    clear: command({}, (c) => void (c.state.items = [])),
    refuse: command({}, (c) => c.refuse("no")),
    count: query({ out: v.number() }, (c) => c.state.items.length),
  }),
});

test("callText() gives the reply as the text that is stored, and to a repeat the same one, in memory or not", async () => {
  const store = memory();
  const stored = '{"items":["a \\"b\\""],"count":1}';
  for (let life = 0; life < 2; life++) {
    await using troupe = await createTroupe({ actors: [Shelf], stores: { default: store } });
    for (let times = 0; times < 2; times++)
      expect(await troupe.callText("shelf", "s", "put", 'a "b"', { id: "1" })).toBe(stored);
    expect(await troupe.callText("shelf", "s", "count", undefined)).toBe("1");
  }
  const [kept] = await store.findReplies([{ type: "shelf", key: "s", id: "1" }]);
  expect(kept?.reply).toBe(stored);
});

test("callText() of an empty reply is nothing, and what fails fails as a call does", async () => {
  await using troupe = await createTroupe({ actors: [Shelf], stores: { default: memory() } });
  const code = (error: TroupeError): string => error.code;
  expect(await troupe.callText("shelf", "s", "clear", undefined)).toBeUndefined();
  expect(await troupe.callText("shelf", "s", "refuse", undefined).catch(code)).toBe("refused");
  expect(await troupe.callText("shelf", "s", "put", 7).catch(code)).toBe("invalid_input");
  const given = AbortSignal.abort();
  expect(await troupe.callText("shelf", "s", "count", undefined, { signal: given }).catch(code)).toBe("cancelled");
});

test("callText() goes to another node, and takes what its owner replied", async () => {
  const [store, network] = [memory(), new LocalNetwork()];
  const node = (nodeId: string) =>
    createTroupe({ actors: [Shelf], stores: { default: store }, transport: network.transport(), nodeId });
  await using owner = await node("owner");
  await using other = await node("other");
  await owner.ref(Shelf, "s").put("a");
  expect(await other.callText("shelf", "s", "put", "b")).toBe('{"items":["a","b"],"count":2}');
});
