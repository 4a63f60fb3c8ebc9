import { afterEach, describe, expect, test } from "bun:test";
import * as v from "valibot";
import {
  actor,
  type AnyActorType,
  createTroupe,
  FencedError,
  memory,
  type NodeCounts,
  RefusedError,
  statelessWorker,
  type Store,
  type Troupe,
  TroupeError,
} from "#runtime";
import { localNetwork, ManualClock } from "#runtime/testing";
import { withResolvers } from "../base/deferred.ts";
import { FaultyStore } from "../testing/faulty-store.ts";
import { until } from "../testing/until.ts";
import { Workers } from "./workers.ts";

const when = (holds: () => boolean | Promise<boolean>) => until(holds, (is) => is);

/** Runs that wait to be let go, oldest first. */
let held: { readonly node: string; readonly signal: AbortSignal; go(): void }[] = [];
let most = 0;
let running = 0;
afterEach(() => {
  held = [];
  most = 0;
  running = 0;
});

/** A worker whose runs end when the test says so; `node` is where it runs. */
const slowOn = (node: string) =>
  statelessWorker("slow", {
    copies: 2,
    mailbox: { max: 2 },
    messages: ({ work }) => ({
      run: work({ in: v.number(), out: v.string() }, async (c, n) => {
        most = Math.max(most, ++running);
        const { promise, resolve } = withResolvers<void>();
        held.push({ node, signal: c.signal, go: resolve });
        await promise;
        running--;
        return `${node} ${n}`;
      }),
    }),
  });
const Slow = slowOn("here");

const Sums = statelessWorker("sums", {
  messages: ({ work }) => ({
    add: work(
      { in: v.object({ a: v.number(), b: v.number() }), out: v.number(), refuses: ["too_much"] },
      (c, { a, b }) => {
        c.require(a + b < 100, "too_much", { limit: 100 });
        return a + b;
      },
    ),
    wrong: work({ out: v.number() }, () => "no number" as unknown as number),
    fail: work({}, () => {
      throw new Error("secret");
    }),
  }),
});

/** Nodes know each other by the stores of their actors. */
const Idle = actor("idle", { state: v.object({}), initial: () => ({}), messages: () => ({}) });

async function codeOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => "answered",
    (error: unknown) => (error instanceof TroupeError ? error.code : String(error)),
  );
}

describe("on one node", () => {
  test("a call is answered, refused or failed as that of an actor, and nothing is written", async () => {
    const faulty = new FaultyStore(memory());
    let counts: NodeCounts | undefined;
    const metrics = { attach: (node: NodeCounts) => ((counts = node), () => undefined) };
    await using node = await createTroupe({ actors: [], workers: [Sums], stores: { default: faulty.store }, metrics });
    const sums = node.ref(Sums);
    expect(await sums.add({ a: 1, b: 2 })).toBe(3);
    expect(await node.call("sums", "-", "add", { a: 2, b: 2 })).toBe(4);
    const refused: unknown = await sums.add({ a: 99, b: 2 }).catch((error: unknown) => error);
    expect(refused instanceof RefusedError && [refused.reason, refused.data]).toEqual(["too_much", { limit: 100 }]);
    expect(await codeOf(node.call("sums", "-", "add", { a: "1" }))).toBe("invalid_input");
    expect(await codeOf(node.call("sums", "-", "subtract", {}))).toBe("unknown_message");
    expect(await codeOf(sums.fail())).toBe("turn_failed");
    expect(faulty.commits).toBe(0);
    const turns = [...(counts?.turns() ?? [])].map(({ message, tally }) => [
      message,
      tally.ok,
      tally.refused,
      tally.failed,
    ]);
    expect(turns).toEqual([
      ["add", 2, 1, 0],
      ["fail", 0, 0, 1],
    ]);
  });

  test("as many runs as there are copies are under way at once, further calls wait, and one over the bound is refused", async () => {
    await using node = await createTroupe({ actors: [Idle], workers: [Slow], stores: { default: memory() } });
    const calls = [1, 2, 3, 4].map((n) => node.ref(Slow).run(n));
    await when(() => held.length === 2);
    expect(await codeOf(node.ref(Slow).run(5))).toBe("mailbox_full");
    const { nodes } = await node.cluster();
    expect(nodes[0]?.actors).toEqual([
      { type: "idle", inMemory: 0, waiting: 0 },
      { type: "slow", inMemory: 2, waiting: 2 },
    ]);
    for (let i = 0; i < 4; i++) {
      await when(() => held.length > i);
      held[i]?.go();
    }
    expect(await Promise.all(calls)).toEqual(["here 1", "here 2", "here 3", "here 4"]);
    expect(most).toBe(2);
  });

  test("a call that is asked again runs again, so it takes no id", async () => {
    await using node = await createTroupe({ actors: [], workers: [Sums], stores: { default: memory() } });
    expect(await codeOf(node.call("sums", "-", "add", { a: 1, b: 1 }, { id: "once" }))).toContain(
      "a stateless worker keeps no replies",
    );
    expect(await codeOf(node.call("sums", "main", "add", { a: 1, b: 1 }))).toBe("invalid_input");
    // @ts-expect-error -- there is no id
    void (() => node.ref(Sums).add({ a: 1, b: 1 }, { id: "once" }));
  });

  test("what only an actor has is refused where it is asked for, with the reason", async () => {
    const logged: string[] = [];
    const asks = [
      "state",
      "key",
      "id",
      "timers",
      "emit",
      "send",
      "broadcast",
      "publish",
      "sockets",
      "workflow",
      "destroy",
    ];
    const Greedy = statelessWorker("greedy", {
      messages: ({ work }) => ({
        get: work({ in: v.string() }, (c, what) => void (c as unknown as Record<string, unknown>)[what]),
        set: work({}, (c) => void ((c as unknown as { state: number }).state = 1)),
      }),
    });
    await using node = await createTroupe({
      actors: [],
      workers: [Greedy],
      stores: { default: memory() },
      log: (_, event, fields) => void logged.push(`${event} ${String(fields?.["error"])}`),
    });
    for (const what of asks) expect(await codeOf(node.ref(Greedy).get(what))).toBe("turn_failed");
    expect(await codeOf(node.ref(Greedy).set())).toBe("turn_failed");
    const failures = logged.filter((line) => line.startsWith("turn:failed"));
    expect(failures).toEqual([
      ...asks.map(
        (what) =>
          `turn:failed TypeError: Cannot use c.${what} in get of greedy as a stateless worker keeps nothing: ask an actor, by c.ref`,
      ),
      "turn:failed TypeError: Cannot use c.state in set of greedy as a stateless worker keeps nothing: ask an actor, by c.ref",
    ]);
  });

  test("a definition with a state, events, timers or sockets is refused", () => {
    const messages = () => ({});
    for (const kept of ["state", "emits", "subscribe", "sockets", "journal", "index", "key"]) {
      const options = { messages, [kept]: {} };
      expect(() => statelessWorker("w", options)).toThrow(`Cannot give the stateless worker "w" \`${kept}\``);
    }
    expect(() => statelessWorker("w", { messages, copies: 0 })).toThrow("copies 0");
    expect(() => statelessWorker("W", { messages })).toThrow("lower case");
  });

  test("nothing of a worker can be watched, listed, paused or looked at, and nothing be sent to it", async () => {
    const Sender = actor("sender", {
      state: v.object({}),
      initial: () => ({}),
      messages: ({ command }) => ({
        send: command({}, (c) => c.send(Sums as unknown as AnyActorType, "-", "add" as never)),
      }),
    });
    await using node = await createTroupe({ actors: [Sender], workers: [Sums], stores: { default: memory() } });
    const type = Sums as unknown as AnyActorType;
    const why = 'Cannot find the actor type "sums" as it is a stateless worker, of which nothing is kept';
    const textOf = (call: Promise<unknown>) => call.catch((error: unknown) => (error as Error).message);
    expect(await textOf(node.list(type))).toBe(why);
    expect(await textOf(node.pause("sums", "-", "no"))).toBe(why);
    expect(await textOf(node.inspect("sums", "-"))).toBe(why);
    expect(await textOf(node.watch(type, "-")[Symbol.asyncIterator]().next())).toBe(why);
    expect(await codeOf(node.ref(Sender, "s").send())).toBe("turn_failed");
    await expect(
      createTroupe({ actors: [Sender], workers: [Sums, Sums], stores: { default: memory() } }),
    ).rejects.toThrow('Cannot register the stateless worker "sums" as the name is taken');
  });

  test("a run that is over its limit fails, is told so, and holds its copy no longer", async () => {
    const clock = new ManualClock();
    const Lazy = statelessWorker("lazy", {
      copies: 1,
      turnLimit: "10s",
      messages: ({ work }) => ({
        run: work({ out: v.number() }, (c) => {
          held.push({ node: "here", signal: c.signal, go: () => undefined });
          return held.length === 1 ? new Promise<number>(() => undefined) : 2;
        }),
      }),
    });
    const stores = { default: memory("test", clock) };
    await using node = await createTroupe({ actors: [], workers: [Lazy], stores, clock });
    const [first, second] = [node.ref(Lazy).run(), node.ref(Lazy).run()];
    const failed = codeOf(first);
    await clock.advance("11s");
    expect([await failed, held[0]?.signal.aborted, await second]).toEqual(["turn_failed", true, 2]);
  });

  test("a caller that gives up takes its call out of the row, or has its run told", async () => {
    await using node = await createTroupe({ actors: [], workers: [Slow], stores: { default: memory() } });
    const stop = new AbortController();
    const calls = [1, 2, 3].map((n) => codeOf(node.ref(Slow).run(n, { signal: stop.signal })));
    await when(() => held.length === 2);
    stop.abort();
    expect(await Promise.all(calls)).toEqual(["cancelled", "cancelled", "cancelled"]);
    expect(held.map(({ signal }) => signal.aborted)).toEqual([true, true]);
    for (const run of held) run.go();
    await when(() => running === 0);
    expect(held.length).toBe(2);
  });

  test("a node that stops lets its runs end, and refuses what waits", async () => {
    const node = await createTroupe({ actors: [], workers: [Slow], stores: { default: memory() } });
    const calls = [1, 2, 3].map((n) => node.ref(Slow).run(n));
    const third = codeOf(calls[2] as Promise<unknown>);
    await when(() => held.length === 2);
    const stopped = node.stop();
    expect(await third).toBe("stopping");
    for (const run of held) run.go();
    expect(await Promise.all(calls.slice(0, 2))).toEqual(["here 1", "here 2"]);
    await stopped;
  });

  test("a run that asks for another of the same worker, through whomever, is refused instead of waiting for itself", async () => {
    const Ring = actor("ring", {
      state: v.object({}),
      initial: () => ({}),
      messages: ({ command }) => ({
        back: command({ in: v.number() }, async (c, n): Promise<void> => c.ref(Loop).go(n)),
      }),
    });
    const Loop = statelessWorker("loop", {
      messages: ({ work }) => ({
        go: work({ in: v.number() }, async (c, n): Promise<void> => {
          if (n > 0) await c.ref(Ring, `r${n}`).back(n - 1);
        }),
      }),
    });
    await using node = await createTroupe({ actors: [Ring], workers: [Loop], stores: { default: memory() } });
    expect(await codeOf(node.ref(Loop).go(0))).toBe("answered");
    expect(await codeOf(node.ref(Loop).go(1))).toBe("call_cycle");
  });

  test("replies are held to `out` where replies are checked", async () => {
    const stores = { default: memory() };
    await using node = await createTroupe({ actors: [], workers: [Sums], stores, checkReplies: true });
    expect(await codeOf(node.ref(Sums).wrong())).toBe("turn_failed");
    expect(await node.ref(Sums).add({ a: 1, b: 2 })).toBe(3);
  });

  test("`tell` runs it without an answer, and a failure is counted", async () => {
    await using node = await createTroupe({ actors: [], workers: [Slow, Sums], stores: { default: memory() } });
    node.tell(Slow).run(1);
    await when(() => held.length === 1);
    held[0]?.go();
    node.tell(Sums).fail();
    await when(() => node.status().droppedTells === 1);
  });
});

test("a turn that is run again asks its worker again, and what the worker asked of an actor acts once", async () => {
  let runs = 0;
  const Ledger = actor("ledger", {
    state: v.object({ n: v.number() }),
    initial: () => ({ n: 0 }),
    messages: ({ command, query }) => ({
      note: command({}, (c) => void c.state.n++),
      n: query({ out: v.number() }, (c) => c.state.n),
    }),
  });
  const Clerk = statelessWorker("clerk", {
    messages: ({ work }) => ({
      note: work({}, async (c) => {
        runs++;
        await c.ref(Ledger, "main").note();
      }),
    }),
  });
  const Boss = actor("boss", {
    state: v.object({ n: v.number() }),
    initial: () => ({ n: 0 }),
    messages: ({ command }) => ({
      go: command({}, async (c) => {
        await c.ref(Clerk).note();
        c.state.n++;
      }),
    }),
  });
  let fence = true;
  let lost = false;
  const inner = memory();
  const fenced = new Proxy(inner, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property, target);
      if (typeof value !== "function") return value;
      if (property === "settle" && lost) {
        lost = false;
        return async () => []; // somebody else has had it
      }
      if (property !== "commit") return value.bind(target);
      return async (...[node, batch]: Parameters<Store["commit"]>) => {
        if (!fence || !batch.states.some(({ type }) => type === "boss")) return inner.commit(node, batch);
        fence = false;
        lost = true;
        throw new FencedError("moved");
      };
    },
  });
  await using node = await createTroupe({
    actors: [Ledger, Boss],
    workers: [Clerk],
    stores: { default: memory(), boss: fenced },
  });
  await codeOf(node.ref(Boss, "a").go());
  expect([runs, await node.ref(Ledger, "main").n()]).toEqual([2, 1]);
});

describe("on several nodes", () => {
  /** Two nodes that share a store, each with the worker. */
  async function two(use: (first: Troupe, second: Troupe, network: ReturnType<typeof localNetwork>) => Promise<void>) {
    const network = localNetwork();
    const stores = { default: memory() };
    const nodeOf = (nodeId: string) =>
      createTroupe({
        actors: [Idle],
        workers: [slowOn(nodeId)],
        stores,
        nodeId,
        transport: network.transport(),
        leaseMs: 400,
      });
    const [first, second] = [await nodeOf("first"), await nodeOf("second")];
    try {
      await when(async () => (await first.cluster()).nodes.length === 2);
      await use(first, second, network);
    } finally {
      for (const run of held) run.go();
      await Promise.all([first.stop(0), second.stop(0)]);
    }
  }

  test("a call runs on its caller's node while a copy is free there, then on another, and waits at home when none is", async () => {
    await two(async (first, _, network) => {
      const calls = [1, 2, 3, 4, 5].map((n) => first.ref(Slow).run(n));
      await when(() => held.length === 4);
      expect(held.map(({ node }) => node).toSorted()).toEqual(["first", "first", "second", "second"]);
      expect(network.calls.filter((call) => call === "second run").length).toBe(3);
      const sixth = first.ref(Slow).run(6);
      await when(async () => (await first.cluster()).nodes[0]?.actors?.[1]?.waiting === 2);
      for (let i = 0; i < 6; i++) {
        await when(() => held.length > i);
        held[i]?.go();
      }
      const answers = await Promise.all([...calls, sixth]);
      expect(answers.filter((answer) => answer.startsWith("second")).length).toBe(2);
      expect(new Set(answers.map((answer) => answer.split(" ")[1])).size).toBe(6);
    });
  });

  test("a node that cannot be reached is passed over, and one that dies with a run is not taken for one that never began", async () => {
    await two(async (first, second, network) => {
      const home = [1, 2].map((n) => first.ref(Slow).run(n));
      await when(() => held.length === 2);
      network.silent.add("second");
      const lost = codeOf(first.ref(Slow).run(3));
      await when(() => network.calls.includes("second run"));
      await second.stop(0);
      network.silent.delete("second");
      expect(await lost).toBe("deadline_exceeded");
      const waits = first.ref(Slow).run(4);
      for (const run of held) run.go();
      await when(() => held.length === 3);
      held[2]?.go();
      expect(await Promise.all([...home, waits])).toEqual(["first 1", "first 2", "first 4"]);
    });
  });
});

test("other nodes are asked each in its turn, and one without a free copy not again before a while", async () => {
  const clock = new ManualClock();
  const nodes = ["a", "b"].map((node) => ({ node, ownership: undefined as never }));
  const ref = (): never => {
    throw new Error("not used");
  };
  const log = (): void => undefined;
  const workers = new Workers([Slow], { clock, log, metrics: undefined, spans: undefined, ref, others: () => nodes });
  const next = () => workers.elsewhere("slow")?.node;
  expect([next(), next(), next()]).toEqual(["a", "b", "a"]);
  workers.passOver("slow", "b");
  expect([next(), next()]).toEqual(["a", "a"]);
  workers.passOver("slow", "a");
  expect(next()).toBeUndefined();
  await clock.advance("1s");
  expect(new Set([next(), next()])).toEqual(new Set(["a", "b"]));
});
