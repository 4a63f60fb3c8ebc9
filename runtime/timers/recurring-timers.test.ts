import { expect, setDefaultTimeout, test } from "bun:test";
import * as v from "valibot";
import { actor, createTroupe, type Log, memory, type SetTimer, type Store, type Troupe } from "#runtime";
import { TestClock } from "../testing/test-clock.ts";

setDefaultTimeout(60_000);

const HOUR = 3_600_000;
const START = "2026-01-05T08:00:00Z";

const Ticker = actor("ticker", {
  state: v.object({ ticks: v.array(v.string()), throws: v.boolean() }),
  initial: () => ({ ticks: [], throws: false }),
  poison: { after: 2 },
  messages: ({ command, query }) => ({
    set: command({ in: v.object({ name: v.string(), timer: v.unknown() }) }, (c, { name, timer }) => {
      c.timers.set(name, { send: "tick", with: name, ...(timer as object) } as SetTimer);
    }),
    setMany: command({ in: v.number() }, (c, count) => {
      for (let i = 0; i < count; i++) c.timers.set(`t${i}`, { every: "1h", send: "tick", with: `t${i}` });
    }),
    cancel: command({ in: v.string() }, (c, name) => c.timers.cancel(name)),
    break: command({ in: v.boolean() }, (c, throws) => void (c.state.throws = throws)),
    tick: command({ in: v.string() }, (c, name) => {
      if (c.state.throws) throw new Error("always");
      c.state.ticks.push(`${name} ${new Date(c.dueAt ?? 0).toISOString().slice(8, 16)}`);
    }),
    tickAndStop: command({ in: v.string() }, (c, name) => {
      c.state.ticks.push("last");
      c.timers.cancel(name);
    }),
    look: command({ in: v.string(), out: v.array(v.string()) }, async (c, name) => {
      c.timers.set("fresh", { in: "1h", send: "tick", with: "fresh" });
      c.timers.cancel(name);
      const all = await c.timers.list();
      expect((await c.timers.get("fresh"))?.dueAt).toBe(c.now + HOUR);
      expect(await c.timers.get(name)).toBeUndefined();
      return all.map((timer) => `${timer.name} ${timer.cron ?? timer.every ?? "once"}`);
    }),
    ticks: query({ out: v.array(v.string()) }, (c) => [...c.state.ticks]),
  }),
});

interface World {
  readonly clock: TestClock;
  readonly store: Store;
  readonly logged: string[];
  start(): Promise<Troupe>;
}

function world(): World {
  const clock = new TestClock(START);
  const store = memory("memory", clock);
  const logged: string[] = [];
  const log: Log = (level, event) => {
    if (level === "error") logged.push(event);
  };
  return {
    clock,
    store,
    logged,
    start: () => createTroupe({ actors: [Ticker], stores: { default: store }, clock, log }),
  };
}

/** Sets a timer, then lets no node run for `hours`, and gives the ticks that a new node tells within a minute. */
async function afterDowntime(timer: object, hours: number): Promise<{ ticks: string[]; world: World; troupe: Troupe }> {
  const w = world();
  const first = await w.start();
  await first.ref(Ticker, "a").set({ name: "t", timer });
  await first.stop();
  await w.clock.pass(hours * HOUR);
  const troupe = await w.start();
  await w.clock.pass(60_000);
  return { ticks: await troupe.ref(Ticker, "a").ticks(), world: w, troupe };
}

test("a cron timer ticks at its times in its zone, never early, and on and on", async () => {
  const w = world();
  await using troupe = await w.start();
  await troupe.ref(Ticker, "a").set({ name: "t", timer: { cron: "0 10 * * 1-5", zone: "Europe/Berlin" } });
  await w.clock.pass(HOUR - 1);
  expect(await troupe.ref(Ticker, "a").ticks()).toEqual([]);
  await w.clock.pass(1);
  expect(await troupe.ref(Ticker, "a").ticks()).toEqual(["t 05T09:00"]);
  for (const day of ["06", "07", "08", "09", "10", "11", "12"]) {
    // Rows are read again twice a minute, which also finds that the clock has moved.
    w.clock.jump(`2026-01-${day}T08:59:00Z`);
    await w.clock.pass(60_000);
  }
  expect(await troupe.ref(Ticker, "a").ticks()).toEqual(
    ["05", "06", "07", "08", "09", "12"].map((day) => `t ${day}T09:00`),
  );
});

test("an interval ticks on its grid until it is cancelled", async () => {
  const w = world();
  await using troupe = await w.start();
  await troupe.ref(Ticker, "a").set({ name: "t", timer: { every: "20m" } });
  await w.clock.pass(HOUR);
  expect(await troupe.ref(Ticker, "a").ticks()).toEqual(["t 05T08:20", "t 05T08:40", "t 05T09:00"]);
  await troupe.ref(Ticker, "a").cancel("t");
  await w.clock.pass(HOUR);
  expect((await troupe.ref(Ticker, "a").ticks()).length).toBe(3);
  expect((await troupe.inspect("ticker", "a")).timers).toEqual([]);
});

test("a turn that cancels its own timer ends the schedule", async () => {
  const w = world();
  await using troupe = await w.start();
  await troupe.ref(Ticker, "a").set({ name: "t", timer: { every: "20m", send: "tickAndStop" } });
  await w.clock.pass(2 * HOUR);
  expect(await troupe.ref(Ticker, "a").ticks()).toEqual(["last"]);
});

test("the next tick is set in the commit of the turn: a node lost at any time neither doubles nor loses the schedule", async () => {
  const w = world();
  const first = await w.start();
  await first.ref(Ticker, "a").set({ name: "t", timer: { every: "1h" } });
  await w.clock.pass(HOUR);
  expect((await w.store.timersOf({ type: "ticker", key: "a" })).map((row) => row.dueAt)).toEqual([
    Date.parse(START) + 2 * HOUR,
  ]);
  await first.stop(0);
  await using second = await w.start();
  await w.clock.pass(HOUR);
  expect(await second.ref(Ticker, "a").ticks()).toEqual(["t 05T09:00", "t 05T10:00"]);
});

test("missed: once tells one tick for a long downtime, and goes on in the future", async () => {
  const { ticks, world: w, troupe } = await afterDowntime({ every: "1h" }, 10.5);
  expect(ticks).toEqual(["t 05T09:00"]);
  await w.clock.pass(HOUR);
  expect(await troupe.ref(Ticker, "a").ticks()).toEqual(["t 05T09:00", "t 05T19:00"]);
  await troupe.stop();
});

test("missed: all tells each missed tick in order, with its due time", async () => {
  const { ticks, world: w, troupe } = await afterDowntime({ cron: "0 * * * *", missed: "all" }, 5.5);
  expect(ticks).toEqual(["09", "10", "11", "12", "13"].map((hour) => `t 05T${hour}:00`));
  await w.clock.pass(HOUR);
  expect((await troupe.ref(Ticker, "a").ticks()).at(-1)).toBe("t 05T14:00");
  await troupe.stop();
});

test("missed: all tells a thousand, then logs an error and goes on in the future", async () => {
  const { ticks, world: w, troupe } = await afterDowntime({ every: "1m", missed: "all" }, 20);
  expect(ticks.slice(0, 2)).toEqual(["t 05T08:01", "t 05T08:02"]);
  expect(w.logged).toEqual(["timer:overrun"]);
  // 08:01 to 00:40, then what comes while the minute of waiting passes.
  expect(ticks[999]).toBe("t 06T00:40");
  expect(ticks.slice(1_000)).toEqual(["t 06T04:01"]);
  await troupe.stop();
});

test("missed: skip tells none of the missed ticks and goes on with the next", async () => {
  const { ticks, world: w, troupe } = await afterDowntime({ every: "1h", missed: "skip" }, 10.5);
  expect(ticks).toEqual([]);
  expect((await troupe.inspect("ticker", "a")).timers[0]?.dueAt).toBe(Date.parse(START) + 11 * HOUR);
  await w.clock.pass(HOUR);
  expect(await troupe.ref(Ticker, "a").ticks()).toEqual(["t 05T19:00"]);
  await troupe.stop();
});

test("a clock that is set back makes no timer early, and no tick come twice", async () => {
  const w = world();
  await using troupe = await w.start();
  await troupe.ref(Ticker, "a").set({ name: "once", timer: { in: "30m" } });
  await troupe.ref(Ticker, "a").set({ name: "t", timer: { every: "1h" } });
  await w.clock.pass(HOUR);
  expect(await troupe.ref(Ticker, "a").ticks()).toEqual(["once 05T08:30", "t 05T09:00"]);
  await troupe.ref(Ticker, "a").set({ name: "later", timer: { in: "30m" } });
  w.clock.jump("2026-01-05T07:00:00Z");
  await w.clock.pass(2 * HOUR + 30 * 60_000 - 1);
  expect((await troupe.ref(Ticker, "a").ticks()).length).toBe(2);
  await w.clock.pass(1);
  expect(await troupe.ref(Ticker, "a").ticks()).toEqual(["once 05T08:30", "t 05T09:00", "later 05T09:30"]);
  await w.clock.pass(30 * 60_000);
  expect((await troupe.ref(Ticker, "a").ticks()).at(-1)).toBe("t 05T10:00");
});

test("a tick whose turn always fails becomes a dead letter, and the schedule goes on", async () => {
  const w = world();
  await using troupe = await w.start();
  await troupe.ref(Ticker, "a").set({ name: "t", timer: { every: "1h" } });
  await troupe.ref(Ticker, "a").break(true);
  await w.clock.pass(HOUR + 60_000);
  const { items } = await troupe.deadLetters.list();
  expect(items.map(({ reason, target, attempts }) => `${reason} ${target} ${attempts}`)).toEqual(["poison ticker/a 2"]);
  await troupe.ref(Ticker, "a").break(false);
  await w.clock.pass(HOUR);
  expect(await troupe.ref(Ticker, "a").ticks()).toEqual(["t 05T10:00"]);
  // The tick that was set aside comes back with the time it was due.
  expect(await troupe.deadLetters.replay(items[0]?.id ?? "")).toEqual({ replayed: [items[0]?.id ?? ""], failed: [] });
  expect((await troupe.ref(Ticker, "a").ticks()).at(-1)).toBe("t 05T09:00");
  expect((await troupe.inspect("ticker", "a")).timers.length).toBe(1);
});

test("an actor sees its timers, those of this turn included", async () => {
  const w = world();
  await using troupe = await w.start();
  const ticker = troupe.ref(Ticker, "a");
  await ticker.set({ name: "gone", timer: { in: "1h" } });
  await ticker.set({ name: "cron", timer: { cron: "@daily" } });
  expect(await Promise.all([ticker.set({ name: "every", timer: { every: "1s" } }), ticker.look("gone")])).toEqual([
    undefined,
    ["cron @daily", "every 1000", "fresh once"],
  ]);
});

test("timers that cannot be are refused in the turn, and nothing of it stays", async () => {
  const w = world();
  const causes: string[] = [];
  const log: Log = (_level, event, fields) => {
    if (event === "turn:failed") causes.push(String(fields?.["error"]));
  };
  await using troupe = await createTroupe({ actors: [Ticker], stores: { default: w.store }, clock: w.clock, log });
  for (const timer of [
    { in: "1h", cron: "* * * * *" },
    {},
    { cron: "61 * * * *" },
    { cron: "* * * * *", zone: "Mars/Base" },
    { cron: "0 0 30 2 *" },
    { every: "1h", at: 5 },
    { in: Number.NaN },
  ]) {
    const failed = await troupe
      .ref(Ticker, "a")
      .set({ name: "t", timer })
      .catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: "turn_failed" });
  }
  expect(causes.every((cause) => cause.startsWith("TypeError: "))).toBe(true);
  for (const [i, named] of ['in: "1h", cron: "* * * * *"', "none", "61 * * * *", "Mars/Base", "0 0 30 2 *"].entries()) {
    expect(causes[i]).toContain(named);
  }
  for (const name of ["", "a\u0000b", "x".repeat(201)]) {
    const failed = await troupe
      .ref(Ticker, "a")
      .set({ name, timer: { in: "1h" } })
      .catch((error: unknown) => error);
    expect(failed).toMatchObject({ code: "turn_failed" });
  }
  expect((await troupe.inspect("ticker", "a")).timers).toEqual([]);
});

test.each(["once", "skip"])("a schedule (%s) that can no longer be read fails alone", async (missed) => {
  const w = world();
  const first = await w.start();
  await first.ref(Ticker, "a").set({ name: "t", timer: { every: "1h" } });
  await first.stop();
  const timers = w.store.timers.bind(w.store);
  const schedule = JSON.stringify({ cron: "0 * * * *", zone: "Mars/Base", missed });
  w.store.timers = async (...page) => (await timers(...page)).map((row) => ({ ...row, schedule }));
  await w.clock.pass(2 * HOUR);
  await using second = await w.start();
  await w.clock.pass(60_000);
  expect((await second.deadLetters.list()).items.map((letter) => letter.reason)).toEqual(["poison"]);
  await second.ref(Ticker, "a").set({ name: "t", timer: { every: "1h" } });
  expect(await second.ref(Ticker, "a").ticks()).toEqual([]);
});

test("thousands of recurring timers of one actor all tick", async () => {
  const w = world();
  await using troupe = await w.start();
  await troupe.ref(Ticker, "a").setMany(3_000);
  await w.clock.pass(HOUR + 30_000);
  expect(new Set(await troupe.ref(Ticker, "a").ticks()).size).toBe(3_000);
  expect((await troupe.inspect("ticker", "a")).timers.length).toBe(3_000);
});
