import { expect, test } from "bun:test";
import * as v from "valibot";
import { actor, createTroupe, memory, type Store, TroupeError } from "#runtime";
import { FaultyStore } from "../testing/faulty-store.ts";
import { LocalNetwork } from "../testing/local-network.ts";
import { ManualClock, settled } from "../testing/manual-clock.ts";

async function code(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => "none",
    (error: unknown) => (error instanceof TroupeError ? error.code : String(error)),
  );
}

async function until(what: string, holds: () => boolean): Promise<void> {
  const end = performance.now() + 5_000;
  while (!holds()) {
    if (performance.now() > end) throw new Error(`Waited in vain until ${what}`);
    await settled();
  }
}

/** An actor whose `work` goes on until it is let go or its signal is aborted, and what happened to it. */
function worker() {
  const gate = Promise.withResolvers<void>();
  const begun: string[] = [];
  const aborted: unknown[] = [];
  const remaining: (number | undefined)[] = [];
  const Worker = actor("worker", {
    state: v.object({ done: v.array(v.string()) }),
    initial: () => ({ done: [] }),
    mailbox: { max: 2 },
    messages: ({ command, query }) => ({
      work: command({ in: v.string() }, async (c, name) => {
        begun.push(name);
        remaining.push(c.deadline === undefined ? undefined : c.deadline - c.now);
        const over = new Promise<void>((_, reject) => {
          c.signal.addEventListener("abort", () => {
            aborted.push(c.signal.reason);
            reject(c.signal.reason as Error);
          });
        });
        await Promise.race([gate.promise, over]);
        c.state.done.push(name);
      }),
      stubborn: command({ in: v.string(), out: v.number() }, async (c, name) => {
        begun.push(name);
        await gate.promise;
        aborted.push(c.signal.aborted ? c.signal.reason : undefined);
        return c.state.done.push(name);
      }),
      later: command({}, (c) => {
        c.timers.set("work", { in: 0, send: "work", with: "timer" });
        c.send(Worker, "other", "work", "send");
      }),
      done: query({ out: v.array(v.string()) }, (c) => c.state.done),
    }),
  });
  return { Worker, gate, begun, aborted, remaining };
}

test("a turn whose caller's deadline has passed is told by its signal", async () => {
  const { Worker, aborted, remaining } = worker();
  const clock = new ManualClock();
  const troupe = await createTroupe({ actors: [Worker], stores: { default: memory("memory", clock) }, clock });
  const answer = code(troupe.ref(Worker, "a").work("slow", { timeout: "2s" }));
  await clock.advance(1_999);
  expect(aborted).toEqual([]);
  await clock.advance(200);
  expect(await answer).toBe("deadline_exceeded");
  expect(aborted).toMatchObject([{ code: "deadline_exceeded" }]);
  expect(remaining).toEqual([2_000]);
  const stopped = troupe.stop();
  await clock.advance(100);
  await stopped;
});

test("a turn that does not heed its signal is committed all the same", async () => {
  const { Worker, gate, aborted, begun } = worker();
  await using troupe = await createTroupe({ actors: [Worker], stores: { default: memory() } });
  const ref = troupe.ref(Worker, "a");
  expect(await code(ref.stubborn("late", { id: "m1", timeout: "10ms" }))).toBe("deadline_exceeded");
  gate.resolve();
  expect(await ref.stubborn("late", { id: "m1" })).toBe(1);
  expect(begun).toEqual(["late"]);
  expect(aborted).toMatchObject([{ code: "deadline_exceeded" }]);
  expect(await ref.done()).toEqual(["late"]);
});

// With a record of the last turns, what the actor gets is not the call itself.
for (const recentTurns of [0, 5]) {
  test(`a caller that gives up ends its turn by the signal, and a message not begun is never handled (recentTurns: ${recentTurns})`, async () => {
    const { Worker, begun, aborted, gate } = worker();
    await using troupe = await createTroupe({ actors: [Worker], stores: { default: memory() }, recentTurns });
    const ref = troupe.ref(Worker, "a");
    const [first, second] = [new AbortController(), new AbortController()];
    const running = code(ref.work("first", { signal: first.signal }));
    await until("the first runs", () => begun.length === 1);
    const waiting = code(ref.work("second", { signal: second.signal }));
    const third = code(ref.work("third"));
    expect(await code(ref.work("one too many"))).toBe("mailbox_full");
    second.abort();
    expect(await waiting).toBe("cancelled");
    // Its place in the mailbox is free at once.
    const fourth = code(ref.work("fourth"));
    first.abort();
    expect(await running).toBe("cancelled");
    await until("the third runs", () => begun.length === 2);
    gate.resolve();
    expect(await Promise.all([third, fourth])).toEqual(["none", "none"]);
    expect(begun).toEqual(["first", "third", "fourth"]);
    expect(aborted).toMatchObject([{ code: "cancelled" }]);
    expect(await ref.done()).toEqual(["third", "fourth"]);
  });
}

test("a call whose signal is aborted beforehand does nothing, and one that has its reply ignores it", async () => {
  const { Worker, begun, gate } = worker();
  gate.resolve();
  await using troupe = await createTroupe({ actors: [Worker], stores: { default: memory() } });
  expect(await code(troupe.ref(Worker, "a").work("never", { signal: AbortSignal.abort() }))).toBe("cancelled");
  expect(begun).toEqual([]);
  const controller = new AbortController();
  await troupe.ref(Worker, "a").work("done", { signal: controller.signal });
  controller.abort();
  await settled();
  expect(await troupe.ref(Worker, "a").done()).toEqual(["done"]);
});

test("a caller that gives up while its commit is under way is answered at once; the turn stays", async () => {
  const { Worker, gate } = worker();
  gate.resolve();
  const faulty = new FaultyStore(memory());
  await using troupe = await createTroupe({ actors: [Worker], stores: { default: faulty.store } });
  const open = faulty.hold();
  const controller = new AbortController();
  const answer = code(troupe.ref(Worker, "a").work("kept", { signal: controller.signal }));
  await until("the commit is under way", () => faulty.commits === 1);
  controller.abort();
  expect(await answer).toBe("cancelled");
  open();
  expect(await troupe.ref(Worker, "a").done()).toEqual(["kept"]);
});

async function twoNodes(actors: Parameters<typeof createTroupe>[0]["actors"], store: Store = memory()) {
  const network = new LocalNetwork();
  const stores = { default: store };
  const owner = await createTroupe({ actors, stores, transport: network.transport(), nodeId: "owner" });
  const other = await createTroupe({ actors, stores, transport: network.transport(), nodeId: "other" });
  const stop = async (): Promise<void> => {
    await other.stop();
    await owner.stop();
  };
  return { network, owner, other, [Symbol.asyncDispose]: stop };
}

test("giving up crosses nodes: a turn is told, a waiting message leaves the mailbox", async () => {
  const { Worker, begun, aborted, gate } = worker();
  await using nodes = await twoNodes([Worker]);
  const ref = nodes.other.ref(Worker, "a");
  const [first, second] = [new AbortController(), new AbortController()];
  const running = code(ref.work("first", { signal: first.signal }));
  await until("the first runs", () => begun.length === 1);
  const waiting = code(ref.work("second", { signal: second.signal }));
  await until("the second was sent", () => nodes.network.sent.length === 2);
  await settled();
  second.abort();
  first.abort();
  expect(await Promise.all([running, waiting])).toEqual(["cancelled", "cancelled"]);
  await until("the turn was told", () => aborted.length === 1);
  expect(aborted).toMatchObject([{ code: "cancelled" }]);
  gate.resolve();
  await ref.work("third");
  expect(begun).toEqual(["first", "third"]);
});

test("deadlines cross nodes as the time that is left", async () => {
  const { Worker, aborted, remaining } = worker();
  await using nodes = await twoNodes([Worker]);
  expect(await code(nodes.other.ref(Worker, "a").work("slow", { timeout: "50ms" }))).toBe("deadline_exceeded");
  await until("the turn was told", () => aborted.length === 1);
  expect(nodes.network.sent[0]?.envelope.timeoutMs).toBeLessThanOrEqual(50);
  expect(remaining[0]).toBeLessThanOrEqual(51);
});

test("turns of timers and sends have no deadline", async () => {
  const { Worker, begun, remaining, gate } = worker();
  await using troupe = await createTroupe({ actors: [Worker], stores: { default: memory() } });
  await troupe.ref(Worker, "a").later();
  await until("both run", () => begun.length === 2);
  expect(begun.toSorted()).toEqual(["send", "timer"]);
  expect(remaining).toEqual([undefined, undefined]);
  gate.resolve();
});

test("a send that waits for long neither fills the mailbox with its tries nor loses its turn when it has one", async () => {
  const { Worker, begun, aborted, gate } = worker();
  const clock = new ManualClock();
  const troupe = await createTroupe({ actors: [Worker], stores: { default: memory("memory", clock) }, clock });
  const busy = code(troupe.ref(Worker, "other").stubborn("busy", { timeout: "1h" }));
  const sent = troupe.ref(Worker, "a").later();
  await clock.advance(100_000);
  await sent;
  expect(begun.toSorted()).toEqual(["busy", "timer"]);
  // The send takes one of the two places, whatever the number of its tries.
  const call = code(troupe.ref(Worker, "other").stubborn("call", { timeout: "1h" }));
  await settled();
  gate.resolve();
  await clock.advance(10_000);
  expect(await Promise.all([busy, call])).toEqual(["none", "none"]);
  expect(begun).toContain("send");
  expect(aborted.filter((reason) => reason !== undefined)).toEqual([]);
  const stopped = troupe.stop();
  await clock.advance(100);
  await stopped;
});

test("stopping waits for turns, then tells those that still run and answers their callers", async () => {
  const { Worker, begun, aborted } = worker();
  const troupe = await createTroupe({ actors: [Worker], stores: { default: memory() } });
  const running = code(troupe.ref(Worker, "a").work("running"));
  await until("it runs", () => begun.length === 1);
  const waiting = code(troupe.ref(Worker, "a").work("waiting"));
  await troupe.stop(20);
  expect(await Promise.all([running, waiting])).toEqual(["stopping", "stopping"]);
  expect(aborted).toMatchObject([{ code: "stopping" }]);
  expect(begun).toEqual(["running"]);
});

test("a node that stops answers the callers of a commit that hangs", async () => {
  const { Worker, gate } = worker();
  gate.resolve();
  const faulty = new FaultyStore(memory());
  const troupe = await createTroupe({ actors: [Worker], stores: { default: faulty.store } });
  const open = faulty.hold();
  const answer = code(troupe.ref(Worker, "a").work("unknown"));
  await until("the commit is under way", () => faulty.commits === 1);
  await troupe.stop(10);
  expect(await answer).toBe("deadline_exceeded");
  open();
});

test("a turn whose partition moved away is told, and cannot commit", async () => {
  const { Worker, begun, aborted } = worker();
  const store = memory();
  await using troupe = await createTroupe({ actors: [Worker], stores: { default: store }, nodeId: "a", leaseMs: 400 });
  const running = code(troupe.ref(Worker, "a").work("running"));
  await until("it runs", () => begun.length === 1);
  await store.heartbeat("a", 0);
  await store.heartbeat("b", 60_000);
  await store.acquire("b");
  expect(await running).toBe("commit_failed");
  expect(aborted.length).toBe(1);
});
