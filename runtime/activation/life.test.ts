import { expect, test } from "bun:test";
import * as v from "valibot";
import { actor, createTroupe, type LeaveReason, memory, type Store, TroupeError } from "#runtime";
import { FaultyStore } from "../testing/faulty-store.ts";
import { ManualClock, settled } from "../testing/manual-clock.ts";

/** Resolves once `holds` does; checked after every turn of the event loop. */
async function until(what: string, holds: () => boolean): Promise<void> {
  const end = performance.now() + 5_000;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`Waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

async function code(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "none",
    (error: unknown) => (error instanceof TroupeError ? error.code : String(error)),
  );
}

const Basket = actor("basket", {
  state: v.object({ owner: v.string(), lines: v.array(v.string()) }),
  initial: () => ({ owner: "", lines: [] }),
  emits: { "basket.created.v1": v.object({ owner: v.string() }), "basket.filled.v1": v.object({ line: v.string() }) },
  async onCreate(c, key) {
    await Promise.resolve();
    c.state.owner = `owner of ${key}`;
    c.emit("basket.created.v1", { owner: c.state.owner });
    c.timers.set("expire", { in: "1h", send: "empty" });
    c.send(Journal, "all", "note", { text: `created ${key}` });
  },
  messages: ({ command, query }) => ({
    add: command({ in: v.object({ line: v.string() }), out: v.string() }, (c, { line }) => {
      c.require(c.state.lines.length < 2, "full");
      c.state.lines.push(line);
      c.emit("basket.filled.v1", { line });
      return `${c.exists ? "old" : "new"} ${c.state.owner} ${c.state.lines.join(",")}`;
    }),
    refuse: command({}, (c) => c.refuse("never")),
    throws: command({}, () => {
      throw new Error("always");
    }),
    empty: command({}, (c) => c.destroy()),
    owner: query({ out: v.string() }, (c) => `${c.exists} ${c.state.owner}`),
  }),
});

const Journal = actor("journal", {
  state: v.object({ notes: v.array(v.string()) }),
  initial: () => ({ notes: [] }),
  messages: ({ command, query }) => ({
    note: command({ in: v.object({ text: v.string() }) }, (c, { text }) => void c.state.notes.push(text)),
    notes: query({ out: v.array(v.string()) }, (c) => c.state.notes),
  }),
});

async function outbox(store: Store): Promise<string[]> {
  const positions = [...Array(64).keys()].map((partition) => ({ partition, after: 0 }));
  return [...(await store.readOutbox("event", positions, 100))].map((record) => record.name);
}

test("onCreate and the first command are one turn and one commit", async () => {
  const faulty = new FaultyStore(memory());
  await using troupe = await createTroupe({ actors: [Basket, Journal], stores: { default: faulty.store } });
  const basket = troupe.ref(Basket, "b1");
  expect(await basket.add({ line: "tea" })).toBe("new owner of b1 tea");
  // One for the basket; the note in the journal is a commit of its own.
  await until("the note arrived", () => faulty.commits === 2);
  expect(await troupe.ref(Journal, "all").notes()).toEqual(["created b1"]);
  expect(await outbox(faulty.store)).toEqual(["basket.created.v1", "basket.filled.v1"]);
  const timers = await faulty.store.timers([...Array(64).keys()], Number.MAX_SAFE_INTEGER, 9);
  expect(timers.map((timer) => timer.name)).toEqual(["expire"]);
  expect(await basket.add({ line: "milk" })).toBe("old owner of b1 tea,milk");
  expect((await outbox(faulty.store)).length).toBe(3);
});

test("a first message that is refused or throws undoes onCreate too, and the next one creates", async () => {
  const store = memory();
  await using troupe = await createTroupe({ actors: [Basket, Journal], stores: { default: store } });
  const basket = troupe.ref(Basket, "b1");
  expect(await code(basket.refuse())).toBe("refused");
  expect(await code(basket.throws())).toBe("turn_failed");
  expect(await basket.owner()).toBe("false ");
  expect(await outbox(store)).toEqual([]);
  expect(await basket.add({ line: "tea" })).toBe("new owner of b1 tea");
  expect(await outbox(store)).toEqual(["basket.created.v1", "basket.filled.v1"]);
});

test("a query does not create an actor; after a destroy the next command creates it anew", async () => {
  await using troupe = await createTroupe({ actors: [Basket, Journal], stores: { default: memory() } });
  const basket = troupe.ref(Basket, "b1");
  expect(await basket.owner()).toBe("false ");
  await basket.add({ line: "tea" });
  await basket.empty();
  expect(await basket.owner()).toBe("false ");
  expect(await basket.add({ line: "milk" })).toBe("new owner of b1 milk");
});

test("a commit that fails undoes the creation as well", async () => {
  const faulty = new FaultyStore(memory());
  await using troupe = await createTroupe({ actors: [Basket, Journal], stores: { default: faulty.store } });
  const basket = troupe.ref(Basket, "b1");
  faulty.next("refused");
  expect(await code(basket.add({ line: "tea" }))).toBe("commit_failed");
  expect(await basket.add({ line: "milk" })).toBe("new owner of b1 milk");
});

/** An actor type whose hooks write down what they see. */
function tracked(options: { activate?: () => void | Promise<void>; passivate?: () => void | Promise<void> } = {}) {
  const seen: string[] = [];
  const reasons: LeaveReason[] = [];
  const Tracked = actor("tracked", {
    state: v.object({ count: v.number() }),
    initial: () => ({ count: 0 }),
    idle: "20ms",
    async onActivate(c) {
      await options.activate?.();
      seen.push(`activate ${c.key} ${c.exists} ${c.state.count}`);
    },
    async onPassivate(c) {
      await options.passivate?.();
      reasons.push(c.reason);
      seen.push(`passivate ${c.key} ${c.exists} ${c.state.count}`);
    },
    messages: ({ command, query }) => ({
      add: command({ out: v.number() }, (c) => {
        seen.push("add");
        return ++c.state.count;
      }),
      value: query({ out: v.number() }, (c) => {
        seen.push("value");
        return c.state.count;
      }),
    }),
  });
  return { Tracked, seen, reasons };
}

test("onActivate has ended before the first message, also before a query", async () => {
  const { Tracked, seen } = tracked({ activate: settled });
  await using troupe = await createTroupe({ actors: [Tracked], stores: { default: memory() } });
  const actors = troupe.ref(Tracked, "a");
  await Promise.all([actors.value(), actors.add(), actors.add()]);
  expect(seen).toEqual(["activate a false 0", "value", "add", "add"]);
});

test("an actor that was idle passivates, and its next life begins when onPassivate is over", async () => {
  const gate = Promise.withResolvers<void>();
  const { Tracked, seen, reasons } = tracked({ passivate: () => gate.promise });
  await using troupe = await createTroupe({ actors: [Tracked], stores: { default: memory() } });
  await troupe.ref(Tracked, "a").add();
  await until("it left memory", () => troupe.status().actors.active === 0);
  const next = troupe.ref(Tracked, "a").add();
  await settled();
  expect(seen).toEqual(["activate a false 0", "add"]);
  gate.resolve();
  expect(await next).toBe(2);
  expect(seen).toEqual(["activate a false 0", "add", "passivate a true 1", "activate a true 1", "add"]);
  expect(reasons).toEqual(["idle"]);
});

test("stopping passivates what is in memory", async () => {
  const { Tracked, reasons, seen } = tracked();
  const troupe = await createTroupe({ actors: [Tracked], stores: { default: memory() } });
  await troupe.ref(Tracked, "a").add();
  await troupe.stop();
  expect(reasons).toEqual(["stop"]);
  expect(seen.at(-1)).toBe("passivate a true 1");
});

test("a partition that moves passivates its actors", async () => {
  const { Tracked, reasons } = tracked();
  const store = memory();
  const stores = { default: store };
  await using first = await createTroupe({ actors: [Tracked], stores, nodeId: "first", leaseMs: 400 });
  await first.ref(Tracked, "a").value();
  await store.heartbeat("first", 0);
  await store.heartbeat("second", 60_000);
  await store.acquire("second");
  await until("the first node noticed", () => reasons.length === 1);
  expect(reasons).toEqual(["moved"]);
  expect(first.status().actors.active).toBe(0);
});

test("a failed commit ends one life and begins another, each with its hooks", async () => {
  const { Tracked, seen, reasons } = tracked();
  const faulty = new FaultyStore(memory());
  await using troupe = await createTroupe({ actors: [Tracked], stores: { default: faulty.store } });
  const ref = troupe.ref(Tracked, "a");
  faulty.next("refused");
  expect(await code(ref.add())).toBe("commit_failed");
  expect(await ref.add()).toBe(1);
  expect(reasons).toEqual(["restart"]);
  expect(seen).toEqual(["activate a false 0", "add", "passivate a true 1", "activate a false 0", "add"]);
});

test("an onPassivate that throws or never ends stops nobody", async () => {
  const clock = new ManualClock();
  const { Tracked } = tracked({ passivate: () => new Promise(() => undefined) });
  const lines: string[] = [];
  const troupe = await createTroupe({
    actors: [Tracked],
    stores: { default: memory("memory", clock) },
    clock,
    log: (_level, event) => void lines.push(event),
  });
  const calls = troupe.ref(Tracked, "a");
  await calls.add();
  await clock.advance(2_000);
  expect(troupe.status().actors.active).toBe(0);
  const next = calls.add();
  await clock.advance(5_000);
  expect(await next).toBe(2);
  expect(lines).toContain("actor:passivate:failed");
  const stopped = troupe.stop(1_000);
  await clock.advance(1_000);
  await stopped;
});

test("a failing onActivate answers unavailable, and is tried again with growing pauses", async () => {
  const clock = new ManualClock();
  let tries = 0;
  let broken = true;
  const Fragile = actor("fragile", {
    state: v.object({}),
    initial: () => ({}),
    onActivate() {
      tries++;
      if (broken) throw new Error("no connection");
    },
    messages: ({ command }) => ({ work: command({ out: v.string() }, () => "done") }),
  });
  const troupe = await createTroupe({ actors: [Fragile], stores: { default: memory("memory", clock) }, clock });
  const ref = troupe.ref(Fragile, "a");
  const answers: string[] = [];
  const ask = (): void => void code(ref.work(undefined, { timeout: "1ms" })).then((answer) => answers.push(answer));
  ask();
  await clock.advance(1);
  expect([tries, answers]).toEqual([1, ["unavailable"]]);
  // Within the pause the hook is left alone.
  ask();
  await clock.advance(1);
  expect([tries, answers.length]).toEqual([1, 2]);
  await clock.advance(130);
  ask();
  await clock.advance(130);
  expect(tries).toBe(2);
  ask(); // the second pause is at least 160 ms
  await clock.advance(1);
  expect(tries).toBe(2);
  broken = false;
  await clock.advance(250);
  const answer = ref.work();
  await clock.advance(1);
  expect(await answer).toBe("done");
  expect(tries).toBe(3);
  const stopped = troupe.stop();
  await clock.advance(100);
  await stopped;
});

test("a caller that waits gets through as soon as onActivate does", async () => {
  let tries = 0;
  const { Tracked } = tracked({
    activate: () => {
      if (++tries < 3) throw new Error("not yet");
    },
  });
  await using troupe = await createTroupe({ actors: [Tracked], stores: { default: memory() } });
  expect(await troupe.ref(Tracked, "a").add()).toBe(1);
  expect(tries).toBe(3);
});

test("an onActivate that takes too long counts as failed, and its signal is aborted", async () => {
  const clock = new ManualClock();
  const aborted: unknown[] = [];
  const Slow = actor("slow", {
    state: v.object({}),
    initial: () => ({}),
    onActivate: ({ signal }) =>
      new Promise((_, reject) =>
        signal.addEventListener("abort", () => {
          aborted.push(signal.reason);
          reject(signal.reason as Error);
        }),
      ),
    messages: ({ query }) => ({ read: query({ out: v.string() }, () => "read") }),
  });
  const troupe = await createTroupe({ actors: [Slow], stores: { default: memory("memory", clock) }, clock });
  const answer = code(troupe.ref(Slow, "a").read(undefined, { timeout: "10s" }));
  await clock.advance(10_000);
  expect(await answer).toBe("unavailable");
  expect(aborted.length).toBe(1);
  const stopped = troupe.stop();
  await clock.advance(100);
  await stopped;
});

test("stopping ends an onActivate under way", async () => {
  let signal: AbortSignal | undefined;
  const Slow = actor("slow", {
    state: v.object({}),
    initial: () => ({}),
    onActivate: (c) => {
      signal = c.signal;
      return new Promise(() => undefined);
    },
    messages: ({ query }) => ({ read: query({ out: v.string() }, () => "read") }),
  });
  const troupe = await createTroupe({ actors: [Slow], stores: { default: memory() } });
  const answer = code(troupe.ref(Slow, "a").read());
  await until("the hook runs", () => signal !== undefined);
  await troupe.stop(1);
  expect(signal?.aborted).toBe(true);
  expect(await answer).toBe("stopping");
});

test("what hooks do to the state they see changes nothing", async () => {
  const Careless = actor("careless", {
    state: v.object({ count: v.number() }),
    initial: () => ({ count: 0 }),
    onActivate: (c) => void Object.assign(c.state, { count: 99 }),
    messages: ({ command }) => ({ add: command({ out: v.number() }, (c) => ++c.state.count) }),
  });
  await using troupe = await createTroupe({ actors: [Careless], stores: { default: memory() } });
  expect(await troupe.ref(Careless, "a").add()).toBe(1);
});
