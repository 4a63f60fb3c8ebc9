import { expect, test } from "bun:test";
import type { OutboxRecord, PublishResult, Sink } from "#runtime";
import { onlyTypes } from "./only-types.ts";

function listening(): { readonly sink: Sink; readonly published: string[] } {
  const published: string[] = [];
  const sink: Sink = {
    name: "listening",
    accepts: "event",
    lane: { kind: "batch", maxBatch: 10 },
    async publish(records) {
      published.push(...records.map(({ name }) => name));
      return records.map(({ name }): PublishResult =>
        name === "order.lost.v1" ? { kind: "refused", detail: "lost" } : { kind: "acked" },
      );
    },
    check: () => Promise.reject(new Error("away")),
    close: () => Promise.resolve(),
  };
  return { sink, published };
}

const record = (name: string): OutboxRecord => ({
  partition: 0,
  seq: 1,
  kind: "event",
  id: crypto.randomUUID(),
  name,
  actor: { type: "order", key: "ord_1" },
  target: "ord_1",
  body: "{}",
  at: 0,
  traceparent: undefined,
});

test("onlyTypes() takes what was asked for, and nothing else", () => {
  const routed = onlyTypes(listening().sink, ["stock.reserved.v1", "order.*"]);
  const names = ["order.placed.v1", "orders.placed.v1", "stock.reserved.v1", "order.lost.v1", "stock.refilled.v1"];
  expect(names.filter((name) => routed.takes?.(record(name)))).toEqual([
    "order.placed.v1",
    "stock.reserved.v1",
    "order.lost.v1",
  ]);
});

test("onlyTypes() takes nothing that the sink does not", () => {
  const { sink } = listening();
  const routed = onlyTypes({ ...sink, takes: ({ name }) => name !== "order.lost.v1" }, ["order.*"]);
  expect(["order.placed.v1", "order.lost.v1"].map((name) => routed.takes?.(record(name)))).toEqual([true, false]);
});

test("onlyTypes() publishes as the sink does", async () => {
  const { sink, published } = listening();
  const results = await onlyTypes(sink, ["order.*"]).publish([record("order.placed.v1"), record("order.lost.v1")], 1);
  expect(published).toEqual(["order.placed.v1", "order.lost.v1"]);
  expect(results.map(({ kind }) => kind)).toEqual(["acked", "refused"]);
});

test("onlyTypes() is the sink in everything else", async () => {
  const { sink } = listening();
  const routed = onlyTypes(sink, []);
  expect([routed.name, routed.accepts, routed.lane]).toEqual([sink.name, sink.accepts, sink.lane]);
  expect(routed.check()).rejects.toThrow("away");
});
