/** What a store promises about recurring timers and paused actors, as tests that every store runs. */
import { type CommitBatch, FencedError, type Grant, type Store, type TimerRow } from "../ports/store.ts";
import type { StoreFixture, TestTools } from "./store-conformance.ts";

type Grants = ReadonlyMap<number, Grant>;

/**
 * Runs the suite against the store that `make` gives: an empty one each time, not yet opened.
 *
 * @example
 * ```ts
 * scheduleConformance("memory", async () => ({ store: memory(), [Symbol.asyncDispose]: async () => {} }), { test, expect });
 * ```
 */
export function scheduleConformance(
  name: string,
  make: () => Promise<StoreFixture>,
  { test, expect }: TestTools,
): void {
  const scenario = (title: string, run: (store: Store, grants: Grants) => Promise<void>): void => {
    test(`${name} store: ${title}`, async () => {
      await using fixture = await make();
      const { store } = fixture;
      await store.open();
      await store.heartbeat("a", 60_000);
      await run(store, new Map((await store.acquire("a")).map((grant) => [grant.partition, grant])));
      await store.close();
    });
  };

  scenario("keeps the schedule of a timer, and drops it when the timer is set to fire once", async (store, grants) => {
    const schedule = '{"cron":"0 9 * * 1-5","zone":"Europe/Berlin","missed":"once"}';
    await store.commit("a", { ...batch(grants, 1), timers: [timer({ schedule })] });
    expect(await store.timers([1], 100, 10)).toEqual([timer({ schedule })]);
    await store.commit("a", { ...batch(grants, 1), timers: [timer({ dueAt: 20 })] });
    expect(await store.timers([1], 100, 10)).toEqual([timer({ dueAt: 20, schedule: undefined })]);
  });

  scenario("lists the timers of one actor by name", async (store, grants) => {
    const others = [timer({ key: "other" }), timer({ type: "other" })];
    await store.commit("a", {
      ...batch(grants, 1),
      timers: [timer({ name: "z" }), timer({ name: "b", dueAt: 1e15 }), ...others],
    });
    expect((await store.timersOf({ type: "t", key: "k" })).map((row) => row.name)).toEqual(["b", "z"]);
    expect(await store.timersOf({ type: "t", key: "none" })).toEqual([]);
  });

  scenario("keeps pauses by partition until they end", async (store, grants) => {
    const pause = { type: "t", key: "k", partition: 1, since: 5, reason: 'it\'s "so" \\' };
    const pauses = [pause, { ...pause, key: "l", partition: 2 }];
    await store.commit("a", { ...batch(grants, 1, 2), pauses });
    expect(await store.paused([1])).toEqual([pause]);
    expect((await store.paused([1, 2, 3])).length).toBe(2);
    await store.commit("a", { ...batch(grants, 1), pauses: [{ type: "t", key: "k", partition: 1, since: undefined }] });
    expect(await store.paused([1])).toEqual([]);
    expect((await store.paused([2])).length).toBe(1);
  });

  scenario("refuses a pause under an old epoch", async (store, grants) => {
    await store.settle("a", [{ partition: 1, epoch: grants.get(1)?.epoch ?? 0 }]);
    const pauses = [{ type: "t", key: "k", partition: 1, since: 5, reason: "r" }];
    const error = await store.commit("a", { ...batch(grants, 1), pauses }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(FencedError);
    expect(await store.paused([1])).toEqual([]);
  });

  scenario("leaves the timers of a paused actor out, and gives them again when it goes on", async (store, grants) => {
    await store.commit("a", {
      ...batch(grants, 1),
      timers: [timer({}), timer({ key: "other" })],
      pauses: [{ type: "t", key: "k", partition: 1, since: 5, reason: "r" }],
    });
    expect((await store.timers([1], 100, 10)).map((row) => row.key)).toEqual(["other"]);
    expect((await store.timersOf({ type: "t", key: "k" })).length).toBe(1);
    await store.commit("a", { ...batch(grants, 1), pauses: [{ type: "t", key: "k", partition: 1, since: undefined }] });
    expect((await store.timers([1], 100, 10)).length).toBe(2);
  });
}

function timer(given: Partial<TimerRow>): TimerRow {
  return { type: "t", key: "k", partition: 1, name: "n", message: "m", input: undefined, dueAt: 10, ...given };
}

function batch(grants: Grants, ...partitions: number[]): CommitBatch {
  const fences = partitions.map((partition) => ({ partition, epoch: grants.get(partition)?.epoch ?? 0, lastSeq: 0 }));
  return { fences, states: [], replies: [], outbox: [], timers: [], index: [] };
}
