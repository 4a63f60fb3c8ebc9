import { expect, test } from "bun:test";
import * as v from "valibot";
import { actor, createTroupe, memory, type Store, type Troupe, type TroupeError } from "#runtime";
import { FaultyStore } from "../testing/faulty-store.ts";
import { LocalNetwork } from "../testing/local-network.ts";
import { ManualClock, settled } from "../testing/manual-clock.ts";

const Counter = actor("counter", {
  state: v.object({ count: v.number() }),
  initial: () => ({ count: 0 }),
  idle: "5s",
  messages: ({ command, query }) => ({
    add: command({ out: v.number() }, (c) => ++c.state.count),
    set: command({ in: v.number() }, (c, count) => void (c.state.count = count)),
    refuse: command({}, (c) => {
      c.state.count = -1;
      c.refuse("no");
    }),
    destroy: command({}, (c) => c.destroy()),
    value: query({ out: v.number() }, (c) => c.state.count),
  }),
});

interface Seen {
  readonly state: { count: number };
  readonly version: number;
  readonly exists: boolean;
}

/** Reads a watch to its end, and keeps what it yields. */
function follow(troupe: Troupe, key: string) {
  const controller = new AbortController();
  const seen: string[] = [];
  const done = (async () => {
    for await (const { state, version, exists } of troupe.watch(Counter, key, { signal: controller.signal })) {
      seen.push(`${version} ${exists ? state.count : "none"}`);
    }
  })();
  return { seen, done, stop: () => controller.abort() };
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const end = performance.now() + 5_000;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`Waited in vain until ${what}`);
    await settled();
  }
}

async function next(iterator: AsyncIterator<Seen>): Promise<string> {
  const result = await iterator.next();
  return result.done ? "end" : `${result.value.version} ${result.value.state.count}`;
}

test("watch() yields the present state first, then each newer one, and ends with its signal", async () => {
  await using troupe = await createTroupe({ actors: [Counter], stores: { default: memory() } });
  const counter = troupe.ref(Counter, "a");
  await counter.add();
  const watch = follow(troupe, "a");
  await until("the present state came", () => watch.seen.length === 1);
  for (let i = 2; i <= 4; i++) {
    await counter.add();
    await until("the next state came", () => watch.seen.length === i);
  }
  // Neither a refusal nor a pause, which is a commit too, says anything of the state.
  await counter.refuse().catch(() => undefined);
  await troupe.pause("counter", "a", "by hand");
  await troupe.resume("counter", "a");
  await settled();
  watch.stop();
  await watch.done;
  expect(watch.seen).toEqual(["1 1", "2 2", "3 3", "4 4"]);
});

test("an actor that does not exist shows its initial state, is not created, and is seen to come and go", async () => {
  const store = memory();
  await using troupe = await createTroupe({ actors: [Counter], stores: { default: store } });
  const watch = follow(troupe, "a");
  await until("its absence was seen", () => watch.seen.length === 1);
  expect(troupe.status().actors.active).toBe(0);
  const counter = troupe.ref(Counter, "a");
  for (const [i, act] of [() => counter.add(), () => counter.destroy(), () => counter.add()].entries()) {
    await act();
    await until("the change was seen", () => watch.seen.length === i + 2);
  }
  watch.stop();
  await watch.done;
  expect(watch.seen).toEqual(["0 none", "1 1", "2 none", "3 1"]);
});

test("a reader that takes its time skips to the newest state", async () => {
  await using troupe = await createTroupe({ actors: [Counter], stores: { default: memory() } });
  const counter = troupe.ref(Counter, "a");
  const iterator = troupe.watch(Counter, "a")[Symbol.asyncIterator]();
  expect(await next(iterator)).toBe("0 0");
  for (let i = 0; i < 500; i++) await counter.add();
  expect(await next(iterator)).toBe("500 500");
  await iterator.return?.();
});

test("a state is shown only once it is durable, and never when its commit fails", async () => {
  const faulty = new FaultyStore(memory());
  await using troupe = await createTroupe({ actors: [Counter], stores: { default: faulty.store } });
  const counter = troupe.ref(Counter, "a");
  await counter.add();
  const early = follow(troupe, "a");
  await until("the present state came", () => early.seen.length === 1);
  const open = faulty.hold();
  faulty.next("refused");
  const lost = counter.add().catch((error: TroupeError) => error.code);
  await until("the commit is under way", () => faulty.commits === 2);
  // One that begins now, and one that was there before: neither may see the turn.
  const late = follow(troupe, "a");
  await settled();
  expect([early.seen, late.seen]).toEqual([["1 1"], []]);
  open();
  expect(await lost).toBe("commit_failed");
  await until("the durable state came", () => late.seen.length === 1);
  expect([early.seen, late.seen]).toEqual([["1 1"], ["1 1"]]);
  await counter.add();
  await until("both see the next one", () => early.seen.length === 2 && late.seen.length === 2);
  expect(early.seen).toEqual(["1 1", "2 2"]);
  early.stop();
  late.stop();
  await Promise.all([early.done, late.done]);
});

test("watching does not keep an actor in memory", async () => {
  const clock = new ManualClock();
  const troupe = await createTroupe({ actors: [Counter], stores: { default: memory("memory", clock) }, clock });
  const counter = troupe.ref(Counter, "a");
  await counter.add();
  const watch = follow(troupe, "a");
  await clock.advance(1);
  await clock.advance(25_000);
  expect(troupe.status().actors.active).toBe(0);
  expect(watch.seen).toEqual(["1 1"]);
  await counter.add();
  await clock.advance(1);
  expect(watch.seen).toEqual(["1 1", "2 2"]);
  watch.stop();
  await watch.done;
  const stopped = troupe.stop();
  await clock.advance(100);
  await stopped;
});

async function node(store: Store, network: LocalNetwork, nodeId: string): Promise<Troupe> {
  return createTroupe({
    actors: [Counter],
    stores: { default: store },
    transport: network.transport(),
    nodeId,
    leaseMs: 400,
  });
}

test("watch() works from another node, and goes on when the actor moves in peace", async () => {
  const [store, network] = [memory(), new LocalNetwork()];
  const owner = await node(store, network, "owner");
  await using other = await node(store, network, "other");
  const watch = follow(other, "a");
  await until("the present state came", () => watch.seen.length === 1);
  await owner.ref(Counter, "a").add();
  await until("the change was seen", () => watch.seen.length === 2);
  await owner.stop();
  expect(await other.ref(Counter, "a").add()).toBe(2);
  await until("the next owner's change was seen", () => watch.seen.length === 3);
  watch.stop();
  await watch.done;
  expect(watch.seen).toEqual(["0 none", "1 1", "2 2"]);
});

test("watch() goes on when the owner hangs and loses its lease", async () => {
  const [store, network] = [memory(), new LocalNetwork()];
  const owner = await node(store, network, "owner");
  await using other = await node(store, network, "other");
  await owner.ref(Counter, "a").add();
  const watch = follow(other, "a");
  await until("the present state came", () => watch.seen.length === 1);
  network.silent.add("owner");
  await until("the poll waits", () => network.sent.length >= 2);
  await store.heartbeat("owner", 0);
  const stopped = owner.stop(0);
  expect(await other.ref(Counter, "a").add(undefined, { id: "once" })).toBe(2);
  await until("the next owner's change was seen", () => watch.seen.length === 2);
  watch.stop();
  await Promise.all([watch.done, stopped]);
  expect(watch.seen).toEqual(["1 1", "2 2"]);
});

test("a watcher on another node that has had enough leaves nothing behind", async () => {
  const [store, network] = [memory(), new LocalNetwork()];
  await using owner = await node(store, network, "owner");
  await using other = await node(store, network, "other");
  const watch = follow(other, "a");
  await until("it waits", () => network.sent.length === 2);
  await settled();
  watch.stop();
  await watch.done;
  expect(network.sent.map(({ envelope }) => envelope.origin.kind)).toEqual(["watch", "watch", "cancel"]);
  expect(network.sent.at(-1)?.envelope.origin).toEqual({
    kind: "cancel",
    ticket: network.sent[1]?.envelope.ticket as string,
  });
  expect(owner.status().actors.active).toBe(0);
});

test("a watch ends with an error when its own node stops, and when what it asks for cannot be", async () => {
  const troupe = await createTroupe({ actors: [Counter], stores: { default: memory() } });
  const watch = follow(troupe, "a");
  await until("the present state came", () => watch.seen.length === 1);
  const ended = watch.done.catch((error: TroupeError) => error.code);
  const invalid = follow(troupe, "").done.catch((error: TroupeError) => error.code);
  expect(await invalid).toBe("invalid_input");
  await troupe.stop();
  expect(await ended).toBe("stopping");
});

test("a poll without news ends by itself and is asked again", async () => {
  const clock = new ManualClock();
  const network = new LocalNetwork();
  const store = memory("memory", clock);
  const options = { actors: [Counter], stores: { default: store }, clock };
  const owner = await createTroupe({ ...options, transport: network.transport(), nodeId: "owner" });
  const other = await createTroupe({ ...options, transport: network.transport(), nodeId: "other", owns: false });
  const watch = follow(other, "a");
  await clock.advance(1);
  await clock.advance(45_000);
  expect(network.sent.length).toBe(4);
  await owner.ref(Counter, "a").add();
  await clock.advance(1);
  expect(watch.seen).toEqual(["0 none", "1 1"]);
  watch.stop();
  await watch.done;
  const stopped = Promise.all([other.stop(), owner.stop()]);
  await clock.advance(1_000);
  await stopped;
});

test("a watcher on the owner itself goes on when the actor moves away", async () => {
  const [store, network] = [memory(), new LocalNetwork()];
  await using owner = await node(store, network, "owner");
  const watch = follow(owner, "a");
  await until("the present state came", () => watch.seen.length === 1);
  await store.heartbeat("owner", 0);
  await using next = await node(store, network, "next");
  expect(next.status().stores[0]?.ownedPartitions).toBe(64);
  await next.ref(Counter, "a").add();
  await until("the next owner's change was seen", () => watch.seen.length === 2);
  watch.stop();
  await watch.done;
  expect(watch.seen).toEqual(["0 none", "1 1"]);
});

test("an actor that was destroyed and has come to the same version again is not taken for the old one", async () => {
  const clock = new ManualClock();
  const troupe = await createTroupe({ actors: [Counter], stores: { default: memory("memory", clock) }, clock });
  const counter = troupe.ref(Counter, "a");
  await counter.add();
  const iterator = troupe.watch(Counter, "a")[Symbol.asyncIterator]();
  expect(await next(iterator)).toBe("1 1");
  await counter.destroy();
  await clock.advance(8_000); // it leaves memory, and with it the count of its versions
  await counter.set(7);
  expect(await next(iterator)).toBe("1 7");
  await iterator.return?.();
  const stopped = troupe.stop();
  await clock.advance(100);
  await stopped;
});
