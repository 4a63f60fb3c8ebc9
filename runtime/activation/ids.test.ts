import { expect, spyOn, test } from "bun:test";
import * as v from "valibot";
import { actor, createTroupe, FencedError, memory, RefusedError, type Store, TroupeError } from "#runtime";
import { FaultyStore } from "../testing/faulty-store.ts";

const Counter = actor("counter", {
  state: v.object({ n: v.number() }),
  initial: () => ({ n: 0 }),
  messages: ({ command, query }) => ({
    add: command({}, (c) => void c.state.n++),
    n: query({ out: v.number() }, (c) => c.state.n),
  }),
});

const Boss = actor("boss", {
  state: v.object({ n: v.number() }),
  initial: () => ({ n: 0 }),
  messages: ({ command }) => ({
    go: command({}, async (c) => {
      await c.ref(Counter, "b").add();
      await c.ref(Counter, "b").add();
      c.state.n++;
    }),
    goOnTimer: command({}, (c) => c.timers.set("t", { in: "1ms", send: "go" })),
  }),
});

async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.catch((error: unknown) => (error instanceof TroupeError ? error.code : String(error)));
}

/** A store that fences a commit of the boss's turns once, twice, … */
function fencing(times: number): Store {
  const inner = memory();
  let left = times;
  let lost = false;
  return new Proxy(inner, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== "function") return value;
      if (property === "settle" && lost) {
        lost = false;
        return async () => []; // somebody else has had it
      }
      if (property !== "commit") return value.bind(target);
      return async (...[node, batch]: Parameters<Store["commit"]>) => {
        if (left > 0 && batch.states.some(({ type }) => type === "boss")) {
          left--;
          lost = true;
          throw new FencedError("moved");
        }
        return inner.commit(node, batch);
      };
    },
  });
}

test("a call without an id that is run again after a fence asks others once", async () => {
  await using troupe = await createTroupe({ actors: [Counter, Boss], stores: { default: memory(), boss: fencing(2) } });
  await codeOf(troupe.ref(Boss, "a").go());
  expect(await troupe.ref(Counter, "b").n()).toBe(2);
});

test("a timer whose turn is fenced and fires again asks others once", async () => {
  await using troupe = await createTroupe({ actors: [Counter, Boss], stores: { default: memory(), boss: fencing(1) } });
  await codeOf(troupe.ref(Boss, "a").goOnTimer());
  const deadline = performance.now() + 2_000;
  while ((await troupe.ref(Counter, "b").n()) < 2 && performance.now() < deadline) await Bun.sleep(5);
  await Bun.sleep(300);
  expect(await troupe.ref(Counter, "b").n()).toBe(2);
});

function till(tip: boolean) {
  const pay = tip ? v.object({ c: v.number(), tip: v.optional(v.number(), 0) }) : v.object({ c: v.number() });
  return actor("till", {
    state: v.object({ n: v.number(), open: v.boolean() }),
    initial: () => ({ n: 0, open: false }),
    messages: ({ command }) => ({
      pay: command(
        { in: pay as v.GenericSchema<{ c: number }>, out: v.number() },
        (c, { c: cents }) => (c.state.n += cents),
      ),
      enter: command({ out: v.number() }, (c) => {
        c.require(c.state.open, "closed", { since: 7 });
        return ++c.state.n;
      }),
      knock: command({ out: v.number() }, (c) =>
        c.state.open ? ++c.state.n : c.refuse("closed", { since: 7 }, { again: true }),
      ),
      open: command({}, (c) => void (c.state.open = true)),
    }),
  });
}

test("a repeat over a release that adds a default is the same message, and so is one in another order", async () => {
  const store = memory();
  const before = await createTroupe({ actors: [till(false)], stores: { default: store } });
  expect(await before.call("till", "a", "pay", { c: 5 }, { id: "r" })).toBe(5);
  await before.stop();
  await using after = await createTroupe({ actors: [till(true)], stores: { default: store } });
  expect(await after.call("till", "a", "pay", { c: 5 }, { id: "r" })).toBe(5);
  expect(await after.call("till", "a", "pay", { tip: 1, c: 5 }, { id: "s" })).toBe(10);
  expect(await after.call("till", "a", "pay", { c: 5, tip: 1 }, { id: "s" })).toBe(10);
  expect(await codeOf(after.call("till", "a", "pay", { c: 6 }, { id: "r" }))).toBe("message_id_reused");
});

test("a refusal is the answer of its id: a repeat is refused with the same words, whatever has changed, also after a restart", async () => {
  const store = memory();
  const Till = till(false);
  const before = await createTroupe({ actors: [Till], stores: { default: store } });
  const first = await before
    .ref(Till, "a")
    .enter(undefined, { id: "e" })
    .catch((error: unknown) => error);
  await before.ref(Till, "a").open();
  await before.stop();
  await using after = await createTroupe({ actors: [Till], stores: { default: store } });
  const again = await after
    .ref(Till, "a")
    .enter(undefined, { id: "e" })
    .catch((error: unknown) => error);
  for (const error of [first, again]) {
    expect(error).toBeInstanceOf(RefusedError);
    expect(error).toMatchObject({ reason: "closed", data: { since: 7 } });
  }
  expect(await codeOf(after.ref(Till, "a").enter())).toBe(1);
  expect(await codeOf(after.call("till", "a", "pay", { c: 1 }, { id: "e" }))).toBe("message_id_reused");
});

test("a refusal that rests on what may change is no answer of its id: a repeat is handled anew, also with other input", async () => {
  await using troupe = await createTroupe({ actors: [till(false)], stores: { default: memory() } });
  const knock = () => codeOf(troupe.call("till", "a", "knock", undefined, { id: "e" }));
  expect([await knock(), await knock()]).toEqual(["refused", "refused"]);
  await troupe.call("till", "a", "open", undefined);
  expect([await knock(), await knock()]).toEqual([1, 1]);
  const refused = await troupe.call("till", "b", "knock", undefined, { id: "f" }).catch((error: unknown) => error);
  expect(refused).toMatchObject({ reason: "closed", data: { since: 7 } });
  expect(await codeOf(troupe.call("till", "b", "pay", { c: 5 }, { id: "f" }))).toBe(5);
});

test("a refusal is told only once it is durable", async () => {
  const faulty = new FaultyStore(memory());
  const Till = till(false);
  await using troupe = await createTroupe({ actors: [Till], stores: { default: faulty.store } });
  faulty.next("refused");
  expect(await codeOf(troupe.ref(Till, "a").enter(undefined, { id: "e" }))).toBe("commit_failed");
  await troupe.ref(Till, "a").open();
  expect(await troupe.ref(Till, "a").enter(undefined, { id: "e" })).toBe(1);
});

test("an actor that keeps no more of its answers still knows which ids are new, and asks the store for the answer of a repeat", async () => {
  const store = memory();
  const asked = spyOn(store, "findReplies");
  await using troupe = await createTroupe({ actors: [Counter], stores: { default: store } });
  const ref = troupe.ref(Counter, "a");
  const ids = Array.from({ length: 3_000 }, (_, i) => `m${i}`);
  for (let at = 0; at < ids.length; at += 500)
    await Promise.all(ids.slice(at, at + 500).map((id) => ref.add(undefined, { id })));
  expect(asked).toHaveBeenCalledTimes(0);
  await ref.add(undefined, { id: "m0" });
  expect(asked).toHaveBeenCalledTimes(1);
  expect(await ref.n()).toBe(ids.length);
});
