import type { Grant } from "../../ports/store.ts";
import {
  batch,
  completeIndex,
  type DurableStoreFixture,
  EVERY_KIND,
  everyKind,
  fenceOf,
  isFenced,
  kindsWritten,
  outboxBatch,
  type Theme,
} from "./kit.ts";

/** What outlives the process, and what two of them on one database do to each other. */
export const durability: Theme<DurableStoreFixture> = (scenario, expect) => {
  scenario("has everything again after it was closed and opened", async (store, grants, fixture) => {
    await completeIndex(store, grants);
    await store.commit("a", everyKind([{ ...fenceOf(grants, 1), lastSeq: 1 }]));
    await store.saveCursors([{ sink: "s", partition: 1, seq: 1 }]);
    await store.close();
    const again = fixture.another();
    await again.open();
    expect(await kindsWritten(again)).toEqual(EVERY_KIND);
    expect(await again.cursors([1])).toEqual([{ sink: "s", partition: 1, seq: 1 }]);
    const [settled] = await again.settle("a", [fenceOf(grants, 1)]);
    expect([settled?.commitSeq, settled?.lastSeq]).toEqual([1, 1]);
    await again.close();
  });

  scenario("opens a database that is open already, also many at once", async (_store, _grants, fixture) => {
    const others = Array.from({ length: 4 }, () => fixture.another());
    await Promise.all(others.map((other) => other.open()));
    const owners = await Promise.all(others.map((other) => other.heartbeat("b", 60_000)));
    expect(owners.flat().every(({ owner }) => owner === "a")).toBe(true);
    await Promise.all(others.map((other) => other.close()));
  });

  scenario("fences a store from another that took its partitions over", async (store, grants, fixture) => {
    const other = fixture.another();
    await other.open();
    await store.commit("a", outboxBatch(grants, 1, 1, 1));
    await store.heartbeat("a", 1);
    await other.heartbeat("b", 60_000);
    const taken: Grant[] = [];
    while (taken.length < grants.size) taken.push(...(await other.acquire("b")));
    const mine = new Map(taken.map((grant) => [grant.partition, grant]));
    expect(mine.get(1)?.lastSeq).toBe(1);
    expect(await isFenced(store.commit("a", outboxBatch(grants, 1, 2, 2)))).toBe(true);
    expect(await store.settle("a", [fenceOf(grants, 1)])).toEqual([]);
    await other.commit("b", outboxBatch(mine, 1, 2, 2));
    const read = await store.readOutbox("event", [{ partition: 1, after: 0 }], 10);
    expect(read.map(({ seq }) => seq)).toEqual([1, 2]);
    await other.close();
  });

  scenario("gives each partition to one of two that ask at the same time", async (store, grants, fixture) => {
    const fences = [...grants.keys()].map((partition) => fenceOf(grants, partition));
    await store.release("a", fences);
    const other = fixture.another();
    await other.open();
    await Promise.all([store.heartbeat("a", 60_000), other.heartbeat("b", 60_000)]);
    const [mine, theirs] = await Promise.all([store.acquire("a"), other.acquire("b")]);
    const both = [...mine, ...theirs].map(({ partition }) => partition);
    expect(new Set(both).size).toBe(both.length);
    for (const grant of theirs) {
      const held = new Map([[grant.partition, grant]]);
      expect(await isFenced(store.commit("a", batch(held, grant.partition)))).toBe(true);
    }
    await other.close();
  });
};
