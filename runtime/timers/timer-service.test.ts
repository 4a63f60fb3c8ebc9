import { expect, test } from "bun:test";
import * as v from "valibot";
import { actor, createTroupe, memory, type TimerRow, type TimerWrite, TroupeError } from "#runtime";
import { withResolvers } from "../base/deferred.ts";
import { systemRandomness } from "../base/randomness.ts";
import { PartitionTable } from "../ownership/partition-table.ts";
import { Partition } from "../ownership/partition.ts";
import { StoreLog } from "../telemetry/store-log.ts";
import { FaultyStore } from "../testing/faulty-store.ts";
import { ManualClock } from "../testing/manual-clock.ts";
import { TimerService } from "./timer-service.ts";

const Hold = actor("hold", {
  state: v.object({ log: v.array(v.string()), broken: v.boolean() }),
  initial: () => ({ log: [] as string[], broken: false }),
  poison: { after: 2 },
  messages: ({ command, query }) => ({
    place: command({}, (c) => c.timers.set("expiry", { in: "50s", send: "expire" })),
    confirm: command({}, (c) => c.timers.cancel("expiry")),
    push: command({}, (c) => c.timers.set("expiry", { in: "5m", send: "expire" })),
    expire: command({}, (c) => {
      if (c.state.broken) throw new Error("always");
      c.state.log.push(`due ${c.dueAt}, now ${c.now}`);
    }),
    breakDown: command({}, (c) => void (c.state.broken = true)),
    log: query({ out: v.array(v.string()) }, (c) => [...c.state.log]),
  }),
});

for (const [what, expected] of [
  ["confirm", []],
  ["push", ["due 331000, now 331000"]],
] as const) {
  test(`a read of timers that answers after the commit of ${what} does not bring the old timer back`, async () => {
    const clock = new ManualClock(0);
    const faulty = new FaultyStore(memory("m", clock));
    await using troupe = await createTroupe({ actors: [Hold], stores: { default: faulty.store }, clock });
    const hold = troupe.ref(Hold, "a");
    await hold.place();
    await clock.advance("29s");
    const answer = faulty.holdReads("timers");
    await clock.advance("2s"); // the regular read, at 30 s, has its rows, and its answer is on the way
    await hold[what]();
    answer();
    await clock.advance("10m");
    expect(await hold.log()).toEqual([...expected]);
  });
}

test("timers of a paused actor that are read again while they change count as they are, not as they were read", async () => {
  const clock = new ManualClock(0);
  const faulty = new FaultyStore(memory("m", clock));
  await using troupe = await createTroupe({ actors: [Hold], stores: { default: faulty.store }, clock });
  const hold = troupe.ref(Hold, "a");
  await hold.place();
  await troupe.pause("hold", "a", "looked at");
  const answer = faulty.holdReads("timersOf");
  await troupe.resume("hold", "a");
  await hold.confirm();
  answer();
  await clock.advance("2m");
  expect(await hold.log()).toEqual([]);
});

/** A timer service on a store with these rows, and `fire` for what comes due. */
async function serviceOn(
  clock: ManualClock,
  rows: readonly TimerRow[],
  fire: (timer: TimerRow) => Promise<void>,
  room = 1_000,
) {
  let reads = 0;
  const inner = memory("m", clock);
  const store = new Proxy(inner, {
    get(target, property) {
      if (property === "timers") reads++;
      const value: unknown = Reflect.get(target, property, target);
      return typeof value === "function" ? (value.bind(target) as unknown) : value;
    },
  });
  const partitions = new PartitionTable("n", clock, store);
  await store.heartbeat("n", 3_600_000);
  const grants = await store.acquire("n");
  const held = grants.map((grant) => new Partition(grant));
  partitions.add(held);
  const commit = async (timers: readonly TimerWrite[]): Promise<void> => {
    const fences = grants.map(({ partition, epoch, lastSeq }) => ({ partition, epoch, lastSeq }));
    await store.commit("n", { fences, states: [], replies: [], outbox: [], timers, index: [] });
  };
  await commit(rows);
  const timers = new TimerService({
    clock,
    randomness: systemRandomness,
    store,
    partitions,
    log: new StoreLog(() => undefined, "m"),
  });
  timers.start({ room, fire, afterFailure: async () => "wait" });
  return { timers, commit, open: async () => (await timers.opening(held))(), reads: () => reads };
}

const manyTimers = (count: number, of: { readonly type: string; readonly dueAt: number }): TimerRow[] =>
  Array.from({ length: count }, (_, i) => ({
    ...of,
    ...{ key: `k${i}`, partition: i % 64, name: "t", message: "tick", input: undefined },
  }));

test("thousands of timers that cannot be handled now keep no other from its time", async () => {
  const clock = new ManualClock(0);
  let fired = 0;
  let most = 0;
  let underWay = 0;
  const rows = [
    ...manyTimers(6_000, { type: "sick", dueAt: 1_000 }),
    ...manyTimers(1, { type: "well", dueAt: 25_000 }),
  ];
  const { timers, commit, open } = await serviceOn(clock, rows, async (timer) => {
    most = Math.max(most, ++underWay);
    await Promise.resolve();
    underWay--;
    if (timer.type === "sick") throw new TroupeError("unavailable", "it cannot be used");
    fired++;
    await commit([{ ...timer, dueAt: undefined }]);
  });
  await open();
  await clock.advance("30s");
  timers.stop();
  expect(fired).toBe(1);
  expect(most).toBeLessThanOrEqual(1_000);
}, 60_000);

test("more timers than fit into memory fire one after the other when they are due together, and each is read once", async () => {
  const clock = new ManualClock(0);
  const count = 80_000;
  let fired = 0;
  const { timers, commit, open, reads } = await serviceOn(
    clock,
    manyTimers(count, { type: "t", dueAt: 20_000 }),
    async (timer) => {
      fired++;
      timers.written([], { timers: [{ ...timer, dueAt: undefined }] });
      await commit([{ ...timer, dueAt: undefined }]);
    },
  );
  await open();
  await clock.advance("19s");
  expect(fired).toBe(0);
  await clock.advance("2s");
  timers.stop();
  expect(fired).toBe(count);
  expect(reads()).toBeLessThan((1.5 * count) / 5_000);
}, 60_000);

test("timers that are set beyond what fits into memory wait in the store, and are read when there is room", async () => {
  const clock = new ManualClock(0);
  const rows = manyTimers(60_000, { type: "t", dueAt: 20_000 });
  const fired = new Set<string>();
  const mayFire = withResolvers<void>();
  const { timers, commit, open } = await serviceOn(clock, [], async (timer) => {
    await mayFire.promise;
    fired.add(timer.key);
    timers.written([], { timers: [{ ...timer, dueAt: undefined }] });
    await commit([{ ...timer, dueAt: undefined }]);
  });
  await open();
  await commit(rows);
  timers.written([], { timers: rows });
  await clock.advance("20s");
  expect(timers.due).toBe(50_000);
  mayFire.resolve();
  await clock.advance("2s");
  timers.stop();
  expect(fired.size).toBe(rows.length);
}, 60_000);

test("where commits are slow fewer turns of timers are under way, and all come to their turn", async () => {
  const clock = new ManualClock(0);
  let fired = 0;
  let most = 0;
  let underWay = 0;
  const rows = manyTimers(500, { type: "t", dueAt: 1_000 });
  const fire = async (timer: TimerRow): Promise<void> => {
    most = Math.max(most, ++underWay);
    await new Promise<void>((resolve) => clock.after(5, resolve));
    underWay--;
    fired++;
    timers.written([], { timers: [{ ...timer, dueAt: undefined }] });
  };
  const { timers, open } = await serviceOn(clock, rows, fire, 40);
  await open();
  await clock.advance("2s");
  timers.stop();
  expect([fired, most]).toEqual([500, 40]);
});

test("a timer that became a dead letter goes by the fenced commit of a turn", async () => {
  const clock = new ManualClock(0);
  const faulty = new FaultyStore(memory("m", clock));
  const removals: string[] = [];
  faulty.refuse(({ timers }) => {
    for (const { name, dueAt } of timers) if (dueAt === undefined) removals.push(name);
    return false;
  });
  await using troupe = await createTroupe({ actors: [Hold], stores: { default: faulty.store }, clock });
  const hold = troupe.ref(Hold, "a");
  await hold.breakDown();
  await hold.place();
  await clock.advance("2m");
  expect((await troupe.deadLetters.list()).items.map(({ target }) => target)).toEqual(["hold/a"]);
  expect(removals).toEqual(["expiry"]);
  expect(await faulty.store.timersOf({ type: "hold", key: "a" })).toEqual([]);
});
