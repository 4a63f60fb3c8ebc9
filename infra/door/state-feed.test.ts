import { afterEach, beforeEach, expect, test } from "bun:test";
import { createTroupe, memory, type Troupe, type WatchedState } from "#runtime";
import { Counter } from "./door-bench.ts";
import type { DoorTroupe } from "./options.ts";
import { bunLine } from "./socket-hosts.ts";
import { StateFeeds } from "./state-feed.ts";

let troupe: Troupe;
let asked: number;
/** Holds back what the actor answers. */
let held: Promise<void> | undefined;
let node: DoorTroupe;

beforeEach(async () => {
  troupe = await createTroupe({ actors: [Counter], stores: { default: memory() } });
  asked = 0;
  held = undefined;
  const watch = async function* (...args: Parameters<DoorTroupe["watch"]>): AsyncGenerator<WatchedState<never>, void> {
    asked++;
    for await (const state of troupe.watch(...args)) {
      await held;
      yield state as WatchedState<never>;
    }
  };
  node = {
    call: troupe.call.bind(troupe),
    callText: troupe.callText.bind(troupe),
    watch: watch as never,
    topics: undefined as never,
    tracing: undefined,
  };
});
afterEach(() => troupe.stop());

const countOf = (state: { readonly event: { readonly data: string } } | undefined): unknown =>
  state && (JSON.parse(state.event.data) as { state: { count: number } }).state.count;

test("however many watch an actor through a door, a change is asked for once", async () => {
  const feeds = new StateFeeds();
  const readers = Array.from({ length: 100 }, () => feeds.read(node, Counter, "a", ""));
  expect((await Promise.all(readers.map((reader) => reader.next()))).map(countOf)).toEqual(readers.map(() => 0));
  const before = asked;
  const next = readers.map((reader) => reader.next());
  await troupe.ref(Counter, "a").add({ by: 5 });
  expect((await Promise.all(next)).map(countOf)).toEqual(readers.map(() => 5));
  expect(before).toBeLessThan(4);
  expect(asked).toBe(before);
  for (const reader of readers) reader.stop();
  expect(await readers[0]?.next()).toBeUndefined();
});

test("a reader is shown nothing that is older than the moment at which it began", async () => {
  const feeds = new StateFeeds();
  const first = feeds.read(node, Counter, "a", "");
  expect(countOf(await first.next())).toBe(0);
  // The feed has not heard of this yet, and its caller knows that it is durable.
  const gate = Promise.withResolvers<void>();
  held = gate.promise;
  await troupe.ref(Counter, "a").add({ by: 1 });
  const second = feeds.read(node, Counter, "a", "");
  const shown = second.next();
  gate.resolve();
  expect(countOf(await shown)).toBe(1);
  first.stop();
  second.stop();
});

test("a state that was shown already is not shown again", async () => {
  const feeds = new StateFeeds();
  const first = feeds.read(node, Counter, "a", "");
  const { id = "" } = (await first.next()) ?? {};
  const again = feeds.read(node, Counter, "a", id);
  const next = again.next();
  await troupe.ref(Counter, "a").add({ by: 1 });
  expect(countOf(await next)).toBe(1);
  first.stop();
  again.stop();
});

test("what ends the watch ends it for all, and who comes later asks anew", async () => {
  const feeds = new StateFeeds();
  const wrong = "k".repeat(41);
  const [one, two] = [feeds.read(node, Counter, wrong, ""), feeds.read(node, Counter, wrong, "")];
  await expect(one.next()).rejects.toThrow();
  await expect(two.next()).rejects.toThrow();
  await expect(feeds.read(node, Counter, wrong, "").next()).rejects.toThrow();
  expect(asked).toBe(2);
});

test("a change is written once for all who watch, as a frame and as a server-sent event", async () => {
  const feeds = new StateFeeds();
  const readers = Array.from({ length: 3 }, () => feeds.read(node, Counter, "a", ""));
  await Promise.all(readers.map((reader) => reader.next()));
  const changed = readers.map((reader) => reader.next());
  await troupe.ref(Counter, "a").add({ by: 1 });
  const states = await Promise.all(changed);
  const [first, ...others] = states.map((state) => state?.event);
  for (const other of others) expect(other).toBe(first as never);
  expect(first?.bytes).toBe(first?.bytes as never);
  for (const reader of readers) reader.stop();
});

test("what goes to a socket of Bun in one turn of the event loop is one write", async () => {
  const written: string[][] = [];
  let corked: string[] | undefined;
  const line = bunLine({
    data: undefined as never,
    sendText: (text) => (corked ?? (written[written.length] = [])).push(text),
    close: (code) => void written.push([`closed ${code}`]),
    getBufferedAmount: () => 0,
    cork(send) {
      written.push((corked = []));
      send();
      corked = undefined;
    },
  });
  for (const text of ["a", "b", "c"]) line.send(text);
  expect(written).toEqual([]);
  await new Promise((resolve) => setImmediate(resolve));
  line.send("d");
  await new Promise((resolve) => setImmediate(resolve));
  line.send("last words");
  line.close(1000, "bye");
  expect(written).toEqual([["a", "b", "c"], ["d"], ["last words"], ["closed 1000"]]);
});
