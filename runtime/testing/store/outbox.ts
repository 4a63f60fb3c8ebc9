import { batch, fenceOf, outboxBatch, record, type Theme } from "./kit.ts";

/** What leaves an actor, and how far it has got. */
export const outbox: Theme = (scenario, expect) => {
  const seqs = (rows: readonly { readonly seq: number }[]): number[] => rows.map(({ seq }) => seq);

  scenario("reads the outbox in order, by kind, from a position on", async (store, grants) => {
    const rows = [record(1, 1), { ...record(1, 2), kind: "send" as const }, record(1, 3), record(2, 1)];
    const fences = [
      { ...fenceOf(grants, 1), lastSeq: 3 },
      { ...fenceOf(grants, 2), lastSeq: 1 },
    ];
    await store.commit("a", { ...batch(grants), fences, outbox: rows });
    await store.commit("a", outboxBatch(grants, 1, 4, 5));
    const positions = [
      { partition: 1, after: 1 },
      { partition: 2, after: 0 },
    ];
    const all = await store.readOutbox("event", positions, 10);
    expect(all).toEqual([record(1, 3), record(1, 4), record(1, 5), record(2, 1)]);
    expect(seqs(await store.readOutbox("send", positions, 10))).toEqual([2]);
    expect(await store.readOutbox("workflow", positions, 10)).toEqual([]);
    // As many as asked, or a few more: what one commit wrote may come as a whole.
    const some = (await store.readOutbox("event", positions, 1)).filter(({ partition }) => partition === 1);
    expect(some.length > 0).toBe(true);
    expect(some).toEqual(all.slice(0, some.length));
  });

  scenario("keeps broadcasts apart from events, to the byte", async (store, grants) => {
    const told = { kind: "broadcast" as const, id: "brd_1", name: "order.changed", target: "orders/ord_1" };
    const broadcast = { ...record(1, 2), ...told };
    const rows = [record(1, 1), broadcast, record(1, 3)];
    await store.commit("a", { ...outboxBatch(grants, 1, 1, 3), outbox: rows });
    expect(await store.readOutbox("broadcast", [{ partition: 1, after: 0 }], 10)).toEqual([broadcast]);
    expect(seqs(await store.readOutbox("event", [{ partition: 1, after: 0 }], 10))).toEqual([1, 3]);
  });

  scenario("keeps the outbox without a gap over many commits, and reads it in pages", async (store, grants) => {
    for (let from = 1; from < 100; from += 9) await store.commit("a", outboxBatch(grants, 1, from, from + 8));
    const read: number[] = [];
    for (;;) {
      const page = await store.readOutbox("event", [{ partition: 1, after: read.at(-1) ?? 0 }], 20);
      if (page.length === 0) break;
      read.push(...seqs(page));
    }
    expect(read).toEqual(Array.from({ length: 99 }, (_, i) => i + 1));
  });

  scenario("moves cursors forward only, each for itself", async (store) => {
    await store.saveCursors([
      { sink: "s", partition: 1, seq: 5 },
      { sink: "s", partition: 2, seq: 1 },
      { sink: "r", partition: 1, seq: 9 },
    ]);
    await store.saveCursors([
      { sink: "s", partition: 1, seq: 3 },
      { sink: "s", partition: 2, seq: 2 },
    ]);
    const rows = (await store.cursors([1, 2])).map(({ sink, partition, seq }) => `${sink}/${partition} ${seq}`);
    expect(rows.toSorted()).toEqual(["r/1 9", "s/1 5", "s/2 2"]);
    expect((await store.cursors([2])).length).toBe(1);
  });

  scenario("prunes only what every sink has passed and what is old", async (store, grants) => {
    // Commits one by one: what one commit wrote may go together, once all of it may.
    for (const one of [record(1, 1), record(1, 2), { ...record(1, 3), at: 99 }, record(1, 4)]) {
      await store.commit("a", { ...outboxBatch(grants, 1, one.seq, one.seq), outbox: [one] });
    }
    await store.registerSinks(
      ["x", "y"].map((name) => ({ name, kind: "event" as const })),
      7,
    );
    await store.registerSinks([{ name: "z", kind: "send" }], 7); // it has no say in events
    await store.saveCursors([{ sink: "x", partition: 1, seq: 3 }]);
    expect(await store.pruneOutbox([1], 50, 10)).toBe(0); // y has no cursor yet
    await store.saveCursors([{ sink: "y", partition: 1, seq: 4 }]);
    expect(await store.pruneOutbox([2], 50, 10)).toBe(0);
    expect(await store.pruneOutbox([1], 50, 1)).toBe(1);
    expect(await store.pruneOutbox([1], 50, 10)).toBe(1);
    expect(await store.pruneOutbox([1], 50, 10)).toBe(0);
    expect(seqs(await store.readOutbox("event", [{ partition: 1, after: 0 }], 10))).toEqual([3, 4]);
  });

  scenario("keeps what no sink takes, and what a sink of another node has not passed", async (store, grants) => {
    await store.commit("a", outboxBatch(grants, 1, 1, 2));
    expect(await store.pruneOutbox([1], 1_000, 10)).toBe(0); // there is no sink
    await store.registerSinks([{ name: "x", kind: "event" }], 7);
    await store.registerSinks([{ name: "far", kind: "event" }], 5);
    await store.saveCursors([{ sink: "x", partition: 1, seq: 2 }]);
    expect(await store.pruneOutbox([1], 1_000, 10)).toBe(0);
    expect(await store.forgetSinks(5)).toEqual([]);
    expect(await store.forgetSinks(6)).toEqual(["far"]);
    expect(await store.pruneOutbox([1], 1_000, 10)).toBe(2);
  });

  scenario("knows the oldest record that a sink has not passed", async (store, grants) => {
    expect(await store.oldestAhead("x", "send")).toBe(undefined);
    for (const [seq, at] of [
      [1, 30],
      [2, 20],
      [3, 40],
    ] as const) {
      const one = { ...record(1, seq), kind: "send" as const, at };
      await store.commit("a", { ...outboxBatch(grants, 1, seq, seq), outbox: [one] });
    }
    await store.saveCursors([{ sink: "x", partition: 1, seq: 2 }]);
    expect(await store.oldestAhead("x", "send")).toBe(40);
    expect(await store.oldestAhead("x", "event")).toBe(undefined);
    await store.saveCursors([{ sink: "x", partition: 1, seq: 3 }]);
    expect(await store.oldestAhead("x", "send")).toBe(undefined);
  });

  scenario("goes on numbering after everything was pruned", async (store, grants) => {
    await store.commit("a", outboxBatch(grants, 1, 1, 3));
    await store.registerSinks([{ name: "x", kind: "event" }], 7);
    await store.saveCursors([{ sink: "x", partition: 1, seq: 3 }]);
    while ((await store.pruneOutbox([1], 50, 2)) > 0);
    await store.commit("a", outboxBatch(grants, 1, 4, 4));
    expect(seqs(await store.readOutbox("event", [{ partition: 1, after: 3 }], 10))).toEqual([4]);
    const [settled] = await store.settle("a", [fenceOf(grants, 1)]);
    expect(settled?.lastSeq).toBe(4);
  });
};
