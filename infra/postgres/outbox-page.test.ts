import { expect, test } from "bun:test";
import type { OutboxRecord } from "#runtime";
import { pagesOf, recordsOf } from "./outbox-page.ts";

function record(over: Partial<OutboxRecord>): OutboxRecord {
  return {
    partition: 1,
    seq: 1,
    kind: "event",
    id: `evt_${over.seq ?? 1}`,
    name: "order.placed.v1",
    actor: { type: "order", key: "o-1" },
    target: "o-1",
    body: '{"note":"a \\"quoted\\" \\u0007 💡 text"}',
    at: 1_000,
    traceparent: undefined,
    ...over,
  };
}

test("records come back from their pages as they were", () => {
  const records = [
    record({ seq: 7 }),
    record({ seq: 8, kind: "send", target: "stock/TEA", traceparent: "00-a-b-01", at: 2_000 }),
    record({ seq: 9, at: 1_500 }),
    record({ seq: 3, partition: 2 }),
  ];
  const pages = pagesOf(records);
  expect(pages.map(({ partition, kind, lastSeq, count, at }) => [partition, kind, lastSeq, count, at])).toEqual([
    [1, "event", 9, 2, 1_500],
    [1, "send", 8, 1, 2_000],
    [2, "event", 3, 1, 1_000],
  ]);
  expect(pages.flatMap((page) => recordsOf(page, 0))).toEqual([
    records[0],
    records[2],
    records[1],
    records[3],
  ] as never);
});

test("a page that a cursor has passed in part gives the rest", () => {
  const [page] = pagesOf([record({ seq: 4 }), record({ seq: 6 }), record({ seq: 7 })]);
  expect(recordsOf(page as NonNullable<typeof page>, 4).map(({ seq }) => seq)).toEqual([6, 7]);
});

test("many records of one partition are split into several pages", () => {
  const records = Array.from({ length: 450 }, (_, i) => record({ seq: i + 1 }));
  expect(pagesOf(records).map(({ lastSeq, count }) => [lastSeq, count])).toEqual([
    [200, 200],
    [400, 200],
    [450, 50],
  ]);
});
