import { MAX_PARTITIONS, PARTITION_COUNT, partitionOf } from "../../message/address.ts";
import { PartitionsDifferError, type Store } from "../../ports/store.ts";
import {
  batch,
  completeIndex,
  type DurableStoreFixture,
  failure,
  fenceOf,
  K,
  outboxBatch,
  query,
  state,
  type Theme,
  timer,
} from "./kit.ts";

const LAST = MAX_PARTITIONS - 1;

/** A store that was made with {@link MAX_PARTITIONS} partitions. */
export const manyPartitions: Theme = (scenario, expect) => {
  scenario("gives all of its partitions out, and takes them back", async (store, grants) => {
    expect([store.partitions, grants.size]).toEqual([MAX_PARTITIONS, MAX_PARTITIONS]);
    const fences = [...grants.keys()].map((partition) => fenceOf(grants, partition));
    expect((await store.settle("a", fences)).length).toBe(MAX_PARTITIONS);
    await store.heartbeat("b", 60_000);
    await store.release(
      "a",
      fences.map((fence) => ({ ...fence, epoch: fence.epoch + 1 })),
    );
    expect((await store.acquire("b")).length).toBe(MAX_PARTITIONS);
  });

  scenario("writes and reads every kind of row in its last one", async (store, grants) => {
    const at = [{ partition: LAST, after: 0 }];
    await store.commit("a", {
      ...outboxBatch(grants, LAST, 1, 3),
      timers: [timer("late", 5, LAST)],
      pauses: [{ ...K, key: "p", partition: LAST, since: 1, reason: "r" }],
    });
    expect((await store.readOutbox("event", at, 10)).map(({ seq }) => seq)).toEqual([1, 2, 3]);
    expect((await store.timers([LAST], 10, 10)).map(({ name }) => name)).toEqual(["late"]);
    expect((await store.paused([LAST])).map(({ key }) => key)).toEqual(["p"]);
    await store.registerSinks([{ name: "s", kind: "event" }], 1);
    await store.saveCursors([{ sink: "s", partition: LAST, seq: 2 }]);
    expect(await store.cursors([LAST])).toEqual([{ sink: "s", partition: LAST, seq: 2 }]);
    expect(await store.oldestAhead("s", "event")).toBe(7);
  });

  scenario("commits turns of all of them at once, and reads what they left", async (store, grants) => {
    const everyone = [...grants.keys()];
    const batches = everyone.map((partition) => outboxBatch(grants, partition, 1, 1));
    await store.commit("a", {
      ...batch(grants),
      fences: batches.flatMap(({ fences }) => fences),
      outbox: batches.flatMap(({ outbox }) => outbox),
      states: everyone.map((partition) => state(`k${partition}`, partition)),
      timers: everyone.map((partition) => ({ ...timer("t", partition, partition), key: `k${partition}` })),
    });
    const positions = everyone.map((partition) => ({ partition, after: 0 }));
    expect((await store.readOutbox("event", positions, 10)).length).toBe(MAX_PARTITIONS);
    const due = await store.timers(everyone, MAX_PARTITIONS, MAX_PARTITIONS);
    expect(due.map(({ dueAt }) => dueAt)).toEqual(everyone.toSorted((x, y) => x - y));
  });

  scenario("has a complete index only when each of them says so", async (store, grants) => {
    const few = new Map([...grants].filter(([partition]) => partition < PARTITION_COUNT));
    await completeIndex(store, few);
    expect(await store.where(query({ field: "f", values: ["v"] }))).toBe(undefined);
    await completeIndex(store, grants);
    expect(await store.where(query({ field: "f", values: ["v"] }))).toEqual([]);
  });
};

/** What a store was made with, for all who open it later. The store that is given was made with 100 partitions. */
export const keptPartitions: Theme<DurableStoreFixture> = (scenario, expect) => {
  const opened = async (store: Store): Promise<number> => {
    await store.open();
    await store.close();
    return store.partitions;
  };

  scenario(
    "keeps the number it was made with, for those who ask for it and those who ask for none",
    async (store, _grants, { another }) => {
      expect(store.partitions).toBe(100);
      expect(await opened(another())).toBe(100);
      expect(await opened(another(100))).toBe(100);
    },
  );

  scenario("refuses whoever asks for another number, and says what to ask for", async (store, grants, { another }) => {
    await store.commit("a", batch(grants, partitionOf(K.type, K.key, 100)));
    for (const asked of [64, 101]) {
      const error = await failure(another(asked).open());
      expect(error).toBeInstanceOf(PartitionsDifferError);
      expect((error as PartitionsDifferError).partitions).toBe(100);
      expect(/ with \d+ partitions as it was made with 100: ask for 100 or for none/.test(String(error))).toBe(true);
    }
    expect((await store.heartbeat("b", 60_000)).length).toBe(100);
  });

  scenario("cannot be made with fewer than 64 or more than 1,024", async (_store, _grants, { another }) => {
    for (const asked of [0, 63, 1_025, 99.5, Number.NaN]) {
      expect(await failure((async () => another(asked))())).toBeInstanceOf(RangeError);
    }
  });
};

/** Several processes that make a store at once. Nobody has opened the one that is given. */
export const racedPartitions: Theme<DurableStoreFixture> = (scenario, expect) => {
  scenario("has one number for all, whoever makes it", async (_store, _grants, { another }) => {
    const asked = [200, 300, 400, 200];
    const stores = asked.map((partitions) => another(partitions));
    const failures = await Promise.all(stores.map((store) => failure(store.open())));
    const chosen = new Set(stores.flatMap((store, i) => (failures[i] === undefined ? [store.partitions] : [])));
    expect(chosen.size).toBe(1);
    const refused = failures.flatMap((error) => (error === undefined ? [] : [error]));
    for (const error of refused) expect(error).toBeInstanceOf(PartitionsDifferError);
    const [partitions] = chosen;
    expect(asked.flatMap((number, i) => (failures[i] === undefined ? [number] : []))).toEqual(
      asked.filter((number) => number === partitions),
    );
    await Promise.all(stores.map((store) => store.close()));
  });
};
