import { expect, test } from "bun:test";
import * as v from "valibot";
import { actor, memory, silentLog, type Store, systemClock, systemRandomness } from "#runtime";
import { ActorLru } from "../activation/lru.ts";
import { whenIdleNow } from "../base/event-loop.ts";
import { FaultyStore } from "../testing/faulty-store.ts";
import { StoreHost } from "./store-host.ts";

/** Near enough to be kept in memory, too far to fire. */
const DUE_AT = Date.now() + 50_000;

const Counter = actor("counter", {
  state: v.object({ count: v.number() }),
  initial: () => ({ count: 0 }),
  messages: ({ command, query }) => ({
    add: command({ out: v.number() }, (c) => ++c.state.count),
    arm: command({}, (c) => c.timers.set("ring", { at: DUE_AT, send: "add" })),
    disarm: command({}, (c) => c.timers.cancel("ring")),
    value: query({ out: v.number() }, (c) => c.state.count),
  }),
});

function hostOf(nodeId: string, store: Store): StoreHost {
  return new StoreHost("default", store, [Counter], [], {
    nodeId,
    clock: systemClock,
    randomness: systemRandomness,
    probe: undefined,
    log: silentLog,
    leaseMs: 60_000,
    lanes: 1,
    retentionMs: 60_000,
    stores: () => [],
    residents: new ActorLru(1_000, systemClock),
    owns: true,
    workers: [],
    address: () => undefined,
    contracts: undefined,
    offer: undefined,
    recentTurns: 0,
    askedInTurn: () => Promise.resolve(undefined),
    ref: () => {
      throw new Error("not used");
    },
  });
}

function ask(host: StoreHost, message: string, key = "a"): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    host.dispatcher.deliver({
      envelope: {
        type: "counter",
        key,
        message,
        input: undefined,
        id: undefined,
        origin: { kind: "call" },
        attempt: 1,
        traceparent: undefined,
        callers: [],
        timeoutMs: 1_000,
      },
      succeed: resolve,
      fail: reject,
    });
  });
}

test("an actor that was loaded before its partition was taken is loaded anew: another node may have written since", async () => {
  const store = memory();
  const [one, two] = [hostOf("one", store), hostOf("two", store)];
  await one.start();
  await store.heartbeat("one", 0);
  await two.start();
  await one.ownership.refresh();
  // A message that was on its way when the partition moved finds the actor's state of then.
  await ask(one, "add").catch(() => undefined);
  expect(await ask(two, "add")).toBe("1");
  await store.heartbeat("two", 0);
  await one.ownership.refresh();
  expect(await ask(one, "value")).toBe("1");
  await Promise.all([one.stop(Promise.resolve()), two.stop(Promise.resolve())]);
});

test("a turn that waits for its commit while its partition is lost and taken again is not written", async () => {
  const store = memory();
  const faulty = new FaultyStore(store);
  const [one, two] = [hostOf("one", faulty.store), hostOf("two", store)];
  await one.start();
  expect(await ask(one, "add")).toBe("1");
  await ask(one, "value", "b");
  const open = faulty.hold();
  const busy = ask(one, "add", "b").catch((error: unknown) => error);
  await until(() => faulty.commits === 2);
  const waiting = ask(one, "add").catch((error: unknown) => error);
  await store.heartbeat("one", 0);
  await two.start();
  await one.ownership.refresh();
  await ask(two, "add");
  expect(await ask(two, "add")).toBe("3");
  await store.heartbeat("two", 0);
  await one.ownership.refresh();
  open();
  expect(await waiting).toMatchObject({ code: "fenced" });
  expect(await busy).toMatchObject({ code: "fenced" });
  expect(await ask(one, "value")).toBe("3");
  await Promise.all([one.stop(Promise.resolve()), two.stop(Promise.resolve())]);
});

test("a timer of a commit that is answered after its partition has moved is not taken for the present one", async () => {
  const store = memory();
  const faulty = new FaultyStore(store);
  const [one, two] = [hostOf("one", faulty.store), hostOf("two", store)];
  await one.start();
  const open = faulty.holdAnswers();
  const armed = ask(one, "arm");
  await until(() => faulty.commits === 1);
  await store.heartbeat("one", 0);
  await two.start();
  await one.ownership.refresh();
  await ask(two, "disarm");
  await store.heartbeat("two", 0);
  await one.ownership.refresh();
  open();
  await armed;
  expect(one.timers.isCurrent({ type: "counter", key: "a" }, "ring", DUE_AT)).toBe(false);
  await Promise.all([one.stop(Promise.resolve()), two.stop(Promise.resolve())]);
});

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await whenIdleNow();
}
