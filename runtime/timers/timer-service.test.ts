import { expect, test } from "bun:test";
import * as v from "valibot";
import { actor, type CommitBatch, createTroupe, memory, TroupeError } from "#runtime";
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

test("thousands of timers that cannot be handled now keep no other from its time", async () => {
  const clock = new ManualClock(0);
  const store = memory("m", clock);
  const partitions = new PartitionTable("n", clock, store);
  await store.heartbeat("n", 3_600_000);
  const grants = await store.acquire("n");
  const held = grants.map((grant) => new Partition(grant));
  partitions.add(held);
  const fences = grants.map(({ partition, epoch, lastSeq }) => ({ partition, epoch, lastSeq }));
  const row = { partition: 1, name: "t", message: "tick", input: undefined };
  const sick = Array.from({ length: 6_000 }, (_, i) => ({ ...row, type: "sick", key: `k${i}`, dueAt: 1_000 }));
  const batch: CommitBatch = { fences, states: [], replies: [], outbox: [], timers: [], index: [] };
  await store.commit("n", { ...batch, timers: [...sick, { ...row, type: "well", key: "a", dueAt: 25_000 }] });

  const timers = new TimerService({
    clock,
    randomness: systemRandomness,
    store,
    partitions,
    log: new StoreLog(() => undefined, "m"),
  });
  let fired = 0;
  let most = 0;
  let underWay = 0;
  timers.start({
    fire: async ({ type, ...timer }) => {
      most = Math.max(most, ++underWay);
      await Promise.resolve();
      underWay--;
      if (type === "sick") throw new TroupeError("unavailable", "it cannot be used");
      fired++;
      await store.commit("n", { ...batch, timers: [{ ...timer, type, dueAt: undefined }] });
    },
    afterFailure: async () => "wait",
  });
  (await timers.opening(held))();
  await clock.advance("30s");
  timers.stop();
  expect(fired).toBe(1);
  expect(most).toBeLessThanOrEqual(1_000);
}, 60_000);

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
