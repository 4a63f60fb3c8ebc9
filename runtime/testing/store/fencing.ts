import type { CommitBatch } from "../../ports/store.ts";
import {
  batch,
  completeIndex,
  EVERY_KIND,
  everyKind,
  fenceOf,
  isFenced,
  K,
  kindsWritten,
  outboxBatch,
  query,
  state,
  type Theme,
} from "./kit.ts";

/** What protects the data from a node that no longer holds a partition, or does not know what it has written. */
export const fencing: Theme = (scenario, expect) => {
  const fence = (partition: number, epoch: number): CommitBatch["fences"][number] => ({ partition, epoch, lastSeq: 1 });

  scenario("writes no row of any kind under an old epoch", async (store, grants) => {
    await completeIndex(store, grants);
    const [settled] = await store.settle("a", [fenceOf(grants, 1)]);
    expect(await isFenced(store.commit("a", everyKind([fence(1, fenceOf(grants, 1).epoch)])))).toBe(true);
    expect(await kindsWritten(store)).toEqual([]);
    await store.commit("a", everyKind([fence(1, settled?.epoch ?? 0)]));
    expect(await kindsWritten(store)).toEqual(EVERY_KIND);
  });

  scenario("writes nothing for a node that does not hold the partition, or has lost it", async (store, grants) => {
    await completeIndex(store, grants);
    const stolen = everyKind([fence(1, fenceOf(grants, 1).epoch)]);
    expect(await isFenced(store.commit("b", stolen))).toBe(true);
    await store.release("a", [fenceOf(grants, 1)]);
    expect(await isFenced(store.commit("a", stolen))).toBe(true);
    await store.heartbeat("b", 60_000);
    await store.acquire("b");
    expect(await isFenced(store.commit("a", stolen))).toBe(true);
    expect(await kindsWritten(store)).toEqual([]);
  });

  scenario(
    "writes nothing of a batch when one of its many partitions is lost, and counts no commit",
    async (store, grants) => {
      await store.settle("a", [fenceOf(grants, 1)]);
      const commit = store.commit("a", { ...batch(grants, 2, 1, 3), states: [state("k", 2), state("l", 3)] });
      expect(await isFenced(commit)).toBe(true);
      expect((await store.load([K]))[0]?.state).toBe(undefined);
      const settled = await store.settle("a", [fenceOf(grants, 2), fenceOf(grants, 3)]);
      expect(settled.map(({ commitSeq, lastSeq }) => [commitSeq, lastSeq])).toEqual([
        [0, 0],
        [0, 0],
      ]);
    },
  );

  scenario(
    "tells after an unknown outcome whether the commit happened, and lets no straggler land",
    async (store, grants) => {
      await store.commit("a", outboxBatch(grants, 1, 1, 2));
      const [settled] = await store.settle("a", [fenceOf(grants, 1)]);
      expect({ commitSeq: settled?.commitSeq, lastSeq: settled?.lastSeq }).toEqual({ commitSeq: 1, lastSeq: 2 });
      expect(await isFenced(store.commit("a", outboxBatch(grants, 1, 3, 3)))).toBe(true);
      // The answer to `settle` may be lost as well: asked again under the old epoch it still answers.
      const [again] = await store.settle("a", [fenceOf(grants, 1)]);
      expect([again?.commitSeq, (again?.epoch ?? 0) > (settled?.epoch ?? 0)]).toEqual([1, true]);
      expect(await store.settle("b", [fenceOf(grants, 1)])).toEqual([]);
    },
  );

  scenario("hands the last sequence number to the next owner", async (store, grants) => {
    await store.commit("a", outboxBatch(grants, 1, 1, 5));
    await store.release("a", [fenceOf(grants, 1)]);
    await store.heartbeat("b", 60_000);
    const [grant] = await store.acquire("b");
    expect([grant?.partition, grant?.lastSeq, grant?.commitSeq]).toEqual([1, 5, 1]);
  });

  scenario("fills no index under an old epoch", async (store, grants) => {
    await store.commit("a", { ...batch(grants, 1), states: [state("k")] });
    await completeIndex(store, grants);
    await store.settle("a", [fenceOf(grants, 1)]);
    const actors = [{ key: "k", state: "{}", values: [{ field: "f", value: "v" }] }];
    const fill = store.fillIndex("a", [fenceOf(grants, 1)], { type: "t", actors, complete: undefined });
    expect(await isFenced(fill)).toBe(true);
    expect(await store.where(query({ field: "f", values: ["v"] }))).toEqual([]);
  });
};
