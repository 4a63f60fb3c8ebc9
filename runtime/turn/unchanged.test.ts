/** What a turn writes that leaves the state as it was: everything but the state. */
import { expect, spyOn, test } from "bun:test";
import * as v from "valibot";
import { actor, type CommitBatch, createTroupe, memory, type Store, TroupeError } from "#runtime";
import { FaultyStore } from "../testing/faulty-store.ts";

const Counter = actor("counter", {
  state: v.object({ count: v.number() }),
  initial: () => ({ count: 0 }),
  emits: { "counter.looked.v1": v.object({ count: v.number() }) },
  messages: ({ command }) => ({
    add: command({ in: v.number(), out: v.number() }, (c, by) => (c.state.count += by)),
    look: command({ out: v.number() }, (c) => {
      c.emit("counter.looked.v1", { count: c.state.count });
      c.timers.set("later", { in: "1h", send: "look" });
      return c.state.count;
    }),
    leave: command({}, (c) => c.destroy()),
  }),
});

const A = { type: "counter", key: "a" };

/** What each commit from now on writes: its states, and how many rows of other kinds. */
function written(store: Store): () => readonly string[] {
  const commits = spyOn(store, "commit");
  return () => {
    const batches = commits.mock.calls.map(([, batch]): CommitBatch => batch);
    commits.mockClear();
    return batches.map(({ states, replies, outbox, timers }) =>
      [states.map(({ state, version }) => `${state} v${version}`), replies.length, outbox.length, timers.length].join(
        " ",
      ),
    );
  };
}

test("a turn that leaves the state as it was writes its reply, events and timers, and neither a state nor a version", async () => {
  const store = memory();
  await using troupe = await createTroupe({ actors: [Counter], stores: { default: store } });
  const counter = troupe.ref(Counter, "a");
  const commits = written(store);
  // The first turn brings the actor into being: that is a change.
  expect(await counter.look(undefined, { id: "1" })).toBe(0);
  expect(commits()).toEqual(['{"count":0} v1 1 1 1']);
  expect(await counter.look(undefined, { id: "2" })).toBe(0);
  expect(await counter.add(0, { id: "3" })).toBe(0);
  expect(await counter.add(2)).toBe(2);
  expect(commits()).toEqual([" 1 1 1", " 1 0 0", '{"count":2} v2 0 0 0']);
  await counter.leave(undefined, { id: "4" });
  await counter.leave(undefined, { id: "5" });
  expect(commits()).toEqual(["undefined v3 1 0 0", " 1 0 0"]);
});

test("of turns that are written together the state is that of the last one that changed it", async () => {
  const store = memory();
  await using troupe = await createTroupe({ actors: [Counter], stores: { default: store }, lanes: 1 });
  const counter = troupe.ref(Counter, "a");
  await counter.add(1);
  const commits = written(store);
  await Promise.all([counter.add(1), counter.look(), counter.add(1), counter.look(), counter.add(0, { id: "none" })]);
  expect(commits()).toEqual(['{"count":3} v3 1 2 1']);
  // There and back is two changes.
  await Promise.all([counter.add(1), counter.add(-1)]);
  expect(commits()).toEqual(['{"count":3} v5 0 0 0']);
});

test("a turn that changes nothing fails with the change that it saw, and its repeat has another turn", async () => {
  const faulty = new FaultyStore(memory());
  await using troupe = await createTroupe({ actors: [Counter], stores: { default: faulty.store }, lanes: 1 });
  const counter = troupe.ref(Counter, "a");
  await counter.add(1);
  const code = (error: unknown): unknown => (error instanceof TroupeError ? error.code : error);
  const open = faulty.hold();
  faulty.next("refused");
  const change = counter.add(7).catch(code);
  for (let tries = 0; faulty.commits < 2; tries++) {
    if (tries > 1_000) throw new Error("The change was never sent");
    await new Promise((resolve) => setImmediate(resolve));
  }
  const look = counter.look(undefined, { id: "look" }).catch(code);
  open();
  expect([await change, await look]).toEqual(["commit_failed", "commit_failed"]);
  expect(await counter.look(undefined, { id: "look" })).toBe(1);
  expect((await faulty.store.load([A]))[0]).toMatchObject({ state: '{"count":1}', version: 1, replyIds: ["look"] });
});

test("a state that was migrated is written by the first turn, whatever that turn does", async () => {
  const store = memory();
  const first = actor("old", {
    state: v.object({ n: v.number() }),
    initial: () => ({ n: 1 }),
    messages: ({ command }) => ({ touch: command({}, () => undefined) }),
  });
  const second = actor("old", {
    state: v.object({ n: v.number(), more: v.string() }),
    initial: () => ({ n: 1, more: "" }),
    version: 2,
    migrate: { 1: (old) => ({ ...old, more: "" }) },
    messages: ({ command }) => ({ touch: command({}, () => undefined) }),
  });
  const touch = async (type: typeof first | typeof second, id: string): Promise<void> => {
    await using troupe = await createTroupe({ actors: [type], stores: { default: store } });
    await troupe.ref(first, "a").touch(undefined, { id });
  };
  await touch(first, "1");
  await touch(second, "2");
  const [migrated] = await store.load([{ type: "old", key: "a" }]);
  expect(migrated).toMatchObject({ state: '{"n":1,"more":""}', version: 2, schemaVersion: 2 });
  await touch(second, "3");
  expect((await store.load([{ type: "old", key: "a" }]))[0]).toMatchObject({ version: 2, schemaVersion: 2 });
});
