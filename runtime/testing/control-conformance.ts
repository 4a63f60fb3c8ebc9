/**
 * What nodes promise about actors that are paused, loaded anew and inspected, as tests to be run with every store: they
 * rest on what is committed, and on what a second node finds.
 */
import * as v from "valibot";
import { actor } from "../actor/actor.ts";
import { PausedError, TroupeError } from "../message/errors.ts";
import { createTroupe } from "../node/create-troupe.ts";
import type { Envelope } from "../ports/envelope.ts";
import type { Store } from "../ports/store.ts";
import type { Transport, WireReply } from "../ports/transport.ts";
import type { TestTools } from "./store-conformance.ts";
import { until } from "./until.ts";

/** One database, and a store on it for each node. */
export interface SharedStoreFixture extends AsyncDisposable {
  store(): Store;
}

/**
 * Runs the suite; `make` gives an empty database each time.
 *
 * @example
 * ```ts
 * controlConformance("memory", async () => {
 *   const shared = memory();
 *   return { store: () => shared, [Symbol.asyncDispose]: async () => {} };
 * }, { test, expect });
 * ```
 */
export function controlConformance(
  name: string,
  make: () => Promise<SharedStoreFixture>,
  { test, expect }: TestTools,
): void {
  const scenario = (title: string, run: (fixture: SharedStoreFixture) => Promise<void>): void => {
    test(`actors on the ${name} store: ${title}`, async () => {
      await using fixture = await make();
      await run(fixture);
    });
  };
  const start = (fixture: SharedStoreFixture, given: { transport?: Transport; leaseMs?: number } = {}) =>
    createTroupe({ actors: [Clerk, Sender], stores: { default: fixture.store() }, recentTurns: 5, ...given });

  scenario("a paused actor refuses calls and says why, and answers queries", async (fixture) => {
    await using troupe = await start(fixture);
    await troupe.ref(Clerk, "a").note("one");
    await troupe.pause("clerk", "a", "looked at by Ada");
    const refused = await failure(troupe.ref(Clerk, "a").note("two"));
    expect(refused).toBeInstanceOf(PausedError);
    expect([(refused as PausedError).reason, (refused as PausedError).retryable]).toEqual(["looked at by Ada", true]);
    expect(await troupe.ref(Clerk, "a").notes()).toEqual(["one"]);
    expect(await troupe.ref(Clerk, "b").note("other")).toBe(1);
    await troupe.resume("clerk", "a");
    expect(await troupe.ref(Clerk, "a").note("three")).toBe(2);
  });

  scenario(
    "what waits for its turn when the actor is paused is refused, and the turn under way ends",
    async (fixture) => {
      await using troupe = await start(fixture);
      release = undefined;
      const underWay = troupe.ref(Clerk, "a").hang();
      const letGo = await until(
        () => release,
        (function_) => function_ !== undefined,
      );
      const waiting = failure(troupe.ref(Clerk, "a").note("waits"));
      await troupe.pause("clerk", "a", "r");
      letGo?.();
      await underWay;
      expect(await waiting).toBeInstanceOf(PausedError);
      expect(await troupe.ref(Clerk, "a").notes()).toEqual(["hung"]);
    },
  );

  scenario("timers and sends of a paused actor wait, and come in order when it goes on", async (fixture) => {
    await using troupe = await start(fixture);
    await troupe.pause("clerk", "a", "r");
    for (const text of ["1", "2", "3"]) await troupe.ref(Sender, "s").send({ to: "a", text });
    await troupe.ref(Sender, "s").send({ to: "b", text: "other" });
    await until(
      () => troupe.ref(Clerk, "b").notes(),
      (notes) => notes.length === 1,
    );
    expect(await troupe.ref(Clerk, "a").notes()).toEqual([]);
    await troupe.resume("clerk", "a");
    const notes = await until(
      () => troupe.ref(Clerk, "a").notes(),
      (all) => all.length === 3,
    );
    expect(notes).toEqual(["1", "2", "3"]);
  });

  scenario("a timer that comes due during a pause fires after it", async (fixture) => {
    await using troupe = await start(fixture);
    await troupe.ref(Clerk, "a").noteLater({ ms: 40, text: "late" });
    await troupe.pause("clerk", "a", "r");
    const due = (await troupe.inspect("clerk", "a")).timers[0]?.dueAt ?? 0;
    await until(Date.now, (now) => now > due + 100);
    expect(await troupe.ref(Clerk, "a").notes()).toEqual([]);
    await troupe.resume("clerk", "a");
    await until(
      () => troupe.ref(Clerk, "a").notes(),
      (notes) => notes.length === 1,
    );
    expect((await troupe.inspect("clerk", "a")).timers).toEqual([]);
  });

  scenario("an actor stays paused over a restart", async (fixture) => {
    const first = await start(fixture);
    await first.pause("clerk", "a", "r");
    await first.stop();
    await using second = await start(fixture);
    expect((await failure(second.ref(Clerk, "a").note("x"))) instanceof PausedError).toBe(true);
    await second.resume("clerk", "a");
    expect(await second.ref(Clerk, "a").note("x")).toBe(1);
  });

  scenario(
    "an actor whose node is lost while it is paused is paused at the next one, its timers too",
    async (fixture) => {
      const first = await start(fixture, { leaseMs: 60_000 });
      await first.ref(Clerk, "a").noteLater({ ms: 20, text: "late" });
      await first.pause("clerk", "a", "r");
      // As after a crash: nothing is given back, only the end of its lease frees the partitions.
      const store = fixture.store();
      await store.open();
      await store.heartbeat(first.nodeId, 0);
      await using second = await start(fixture);
      const seen = await second.inspect("clerk", "a");
      expect([seen.nodeId, seen.paused?.reason]).toEqual([second.nodeId, "r"]);
      expect(await failure(second.ref(Clerk, "a").note("x"))).toBeInstanceOf(PausedError);
      await until(Date.now, (now) => now > (seen.timers[0]?.dueAt ?? 0) + 50);
      expect(await second.ref(Clerk, "a").notes()).toEqual([]);
      await second.resume("clerk", "a");
      await until(
        () => second.ref(Clerk, "a").notes(),
        (notes) => notes.length === 1,
      );
      await first.stop(0);
      await store.close();
    },
  );

  scenario("pause, inspect, reload and resume work from a node that does not own the actor", async (fixture) => {
    const { transport } = network();
    await using owner = await start(fixture, { transport: transport() });
    await using other = await start(fixture, { transport: transport() });
    await other.ref(Clerk, "a").note("one");
    await other.pause("clerk", "a", "from afar");
    const refused = await failure(other.ref(Clerk, "a").note("two"));
    expect(refused).toBeInstanceOf(PausedError);
    expect((refused as PausedError).reason).toBe("from afar");
    const seen = await other.inspect("clerk", "a");
    expect([seen.nodeId, seen.paused?.reason, seen.exists, seen.version]).toEqual([owner.nodeId, "from afar", true, 1]);
    expect(seen.state).toEqual({ notes: ["one"] });
    await other.resume("clerk", "a");
    await other.reload("clerk", "a");
    expect((await owner.inspect("clerk", "a")).active).toBe(false);
    expect(await other.ref(Clerk, "a").note("three")).toBe(2);
  });

  scenario("a reload under load loses no turn that was answered", async (fixture) => {
    await using troupe = await start(fixture);
    let answered = 0;
    let stop = false;
    const caller = async (): Promise<void> => {
      while (!stop) {
        const version = await troupe
          .ref(Clerk, "a")
          .note("x")
          .catch((error: unknown) => {
            if (error instanceof TroupeError && error.retryable) return undefined;
            throw error;
          });
        if (version !== undefined) answered++;
      }
    };
    const callers = Array.from({ length: 8 }, caller);
    for (let i = 0; i < 20; i++) {
      await troupe.reload("clerk", "a");
      const before = answered;
      await until(
        () => answered,
        (now) => now > before,
      );
    }
    stop = true;
    await Promise.all(callers);
    expect((await troupe.ref(Clerk, "a").notes()).length).toBe(answered);
  });

  scenario("a reload frees an actor whose handler hangs", async (fixture) => {
    await using troupe = await start(fixture);
    release = undefined;
    const hanging = failure(troupe.ref(Clerk, "a").hang());
    const letGo = await until(
      () => release,
      (function_) => function_ !== undefined,
    );
    await troupe.reload("clerk", "a");
    expect(await troupe.ref(Clerk, "a").note("x")).toBe(1);
    letGo?.();
    expect(((await hanging) as TroupeError).code).toBe("commit_failed");
    expect(await troupe.ref(Clerk, "a").notes()).toEqual(["x"]);
  });

  scenario("a handler that always throws pauses its actor where its type says so", async (fixture) => {
    await using troupe = await start(fixture);
    broken = true;
    await troupe.ref(Sender, "s").send({ to: "a", text: "poison" });
    await troupe.ref(Sender, "s").send({ to: "a", text: "behind it" });
    await troupe.ref(Sender, "s").send({ to: "b", text: "fine" });
    const seen = await until(
      () => troupe.inspect("clerk", "a"),
      ({ paused }) => paused !== undefined,
    );
    expect(seen.paused?.reason).toBe(
      "the message note failed 2 times: Cannot handle note for clerk/a as its handler failed",
    );
    expect((await troupe.deadLetters.list()).items).toEqual([]);
    await until(
      () => troupe.ref(Clerk, "b").notes(),
      (notes) => notes.length === 1,
    );
    broken = false;
    await troupe.resume("clerk", "a");
    const notes = await until(
      () => troupe.ref(Clerk, "a").notes(),
      (all) => all.length === 2,
    );
    expect(notes).toEqual(["poison", "behind it"]);
  });

  scenario("a timer that always throws pauses its actor, and fires when it goes on", async (fixture) => {
    await using troupe = await start(fixture);
    broken = true;
    await troupe.ref(Clerk, "a").noteLater({ ms: 1, text: "poison" });
    const seen = await until(
      () => troupe.inspect("clerk", "a"),
      ({ paused }) => paused !== undefined,
    );
    expect(seen.timers.map((timer) => timer.name)).toEqual(["later"]);
    broken = false;
    await troupe.resume("clerk", "a");
    await until(
      () => troupe.ref(Clerk, "a").notes(),
      (notes) => notes.length === 1,
    );
  });

  scenario("inspect tells state, timers and the last turns", async (fixture) => {
    await using troupe = await start(fixture);
    expect((await troupe.inspect("clerk", "a")).exists).toBe(false);
    await troupe.ref(Clerk, "a").note("one", { id: "m1" });
    await failure(troupe.ref(Clerk, "a").refuse());
    await troupe.ref(Clerk, "a").noteLater({ ms: 60_000, text: "later" });
    const seen = await troupe.inspect("clerk", "a");
    // A timer alone is no other state.
    expect([seen.exists, seen.version, seen.active, seen.mailboxDepth]).toEqual([true, 1, true, 0]);
    expect(seen.timers.map(({ name: timer, send }) => [timer, send])).toEqual([["later", "note"]]);
    expect(seen.turns.map(({ message, outcome, id }) => [message, outcome, id])).toEqual([
      ["noteLater", "ok", undefined],
      ["refuse", "refused", undefined],
      ["note", "ok", "m1"],
    ]);
  });
}

/** Whether the notes of texts "poison" fail. */
let broken = false;
/** Ends the hanging turn; there once it runs. */
let release: (() => void) | undefined;

const Clerk = actor("clerk", {
  state: v.object({ notes: v.array(v.string()) }),
  initial: () => ({ notes: [] }),
  poison: { after: 2, then: "pause" },
  messages: ({ command, query }) => ({
    note: command({ in: v.string(), out: v.number() }, (c, text) => {
      if (broken && text === "poison") throw new Error("secret");
      return c.state.notes.push(text);
    }),
    noteLater: command({ in: v.object({ ms: v.number(), text: v.string() }) }, (c, { ms, text }) => {
      c.timers.set("later", { in: ms, send: "note", with: text });
    }),
    refuse: command({}, (c) => c.refuse("never")),
    hang: command({}, async (c) => {
      await new Promise<void>((resolve) => (release = resolve));
      c.state.notes.push("hung");
    }),
    notes: query({ out: v.array(v.string()) }, (c) => [...c.state.notes]),
  }),
});

const Sender = actor("sender", {
  state: v.object({ sent: v.number() }),
  initial: () => ({ sent: 0 }),
  messages: ({ command }) => ({
    send: command({ in: v.object({ to: v.string(), text: v.string() }) }, (c, { to, text }) => {
      c.state.sent++;
      c.send(Clerk, to, "note", text);
    }),
  }),
});

/** Nodes in one process; nothing but JSON gets across. */
function network(): { transport(): Transport } {
  const nodes = new Map<string, (envelope: Envelope) => Promise<WireReply>>();
  const copy = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
  return {
    transport: () => ({
      serve: async (node, handle) => void nodes.set(node, handle),
      call: async (node, envelope) => {
        const handle = nodes.get(node);
        if (handle === undefined) throw new TroupeError("unavailable", "nobody serves it");
        return copy(await handle(copy(envelope)));
      },
      close: () => Promise.resolve(),
    }),
  };
}

async function failure(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}
