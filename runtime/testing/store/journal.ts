import { FencedError, type JournalRecord } from "../../ports/store.ts";
import { batch, failure, fenceOf, record, type Theme } from "./kit.ts";

/** The events of journaled actors. */
export const journal: Theme = (scenario, expect) => {
  scenario("keeps a journal per actor, and writes none of it under an old epoch", async (store, grants) => {
    const rows = [journalRow("k", 1, 4), journalRow("k", 2, 6), journalRow("other", 1, 5), journalRow("k", 3, 0)];
    await store.commit("a", { ...batch(grants, 1), journal: rows });
    const page = await store.readJournal(
      [
        { type: "t", key: "other", after: 0 },
        { type: "t", key: "k", after: 1 },
      ],
      1,
    );
    expect(page).toEqual([journalRow("other", 1, 5), journalRow("k", 2, 6)]);
    expect(await store.readJournal([{ type: "t", key: "k", after: 3 }], 10)).toEqual([]);
    await store.settle("a", [fenceOf(grants, 1)]);
    const error = await failure(store.commit("a", { ...batch(grants, 1), journal: [journalRow("k", 4, 7)] }));
    expect(error).toBeInstanceOf(FencedError);
    expect((await store.readJournal([{ type: "t", key: "k", after: 0 }], 10)).map((row) => row.seq)).toEqual([1, 2, 3]);
  });

  scenario("reads the journaled events of a type by partition, as the outbox had them", async (store, grants) => {
    const rows = [
      journalRow("k", 1, 4),
      journalRow("l", 1, 2),
      journalRow("k", 2, 0),
      { ...journalRow("m", 1, 9), partition: 2, traceparent: undefined },
      { ...journalRow("k", 1, 3), type: "u" },
    ];
    await store.commit("a", { ...batch(grants, 1, 2), journal: rows });
    const read = await store.readHistory(
      "t",
      [
        { partition: 2, after: 8 },
        { partition: 1, after: 0 },
      ],
      10,
    );
    expect(read.map(({ partition, seq, actor }) => [partition, seq, actor.key])).toEqual([
      [2, 9, "m"],
      [1, 2, "l"],
      [1, 4, "k"],
    ]);
    expect(read[2]).toEqual({
      ...record(1, 4),
      actor: { type: "t", key: "k" },
      id: "evt_k_1",
      body: '{"n":1}',
      traceparent: "00-1-2-01",
    });
    expect((await store.readHistory("t", [{ partition: 1, after: 2 }], 10)).length).toBe(1);
  });
};

function journalRow(key: string, seq: number, position: number): JournalRecord {
  return {
    type: "t",
    key,
    seq,
    partition: 1,
    position,
    id: `evt_${key}_${seq}`,
    name: "t.happened.v1",
    data: `{"n":${seq}}`,
    at: 7,
    traceparent: "00-1-2-01",
  };
}
