import { expect, test } from "bun:test";
import type { OutboxRecord } from "#runtime";
import { absentSink, headerText, RefusedRouteError, type Routed, routedSink } from "./routed.ts";

const record = (to: object | null, target: string): OutboxRecord => ({
  partition: 1,
  seq: 1,
  kind: "routed",
  id: "rtd_1",
  name: "demo.made",
  actor: { type: "inbox", key: "1" },
  target,
  body: JSON.stringify({
    to,
    key: "s-1",
    event: { specversion: "1.0", id: "e-1", source: "/demo", type: "demo.made", data: 1 },
  }),
  at: 5,
  traceparent: undefined,
});
const kafka = record({ sink: "kafka", topic: "demo" }, "kafka:demo:s-1");

function broker(send: (routed: Routed<"kafka">) => Promise<void>) {
  return routedSink(
    { broker: "kafka", send, check: async () => undefined, close: async () => undefined },
    { stores: ["gateway"] },
  );
}

test("routedSink() takes what is addressed to its broker, by the target", () => {
  const takes = (target: string) => broker(async () => undefined).takes?.({ ...kafka, target });
  expect(["kafka:demo:s-1", "nats:a:s-1", "s-1", "kafkaesque"].map(takes)).toEqual([true, false, false, false]);
});

test("routedSink() sends what is addressed to its broker, and lets the rest pass", async () => {
  const sent: Routed<"kafka">[] = [];
  const sink = broker(async (routed) => void sent.push(routed));
  // The second was matched by no route, and its subject looks like an address.
  const others = [record({ sink: "nats", subject: "a" }, "kafka:a:s-1"), record(null, "kafka:demo:s-1")];
  expect(await sink.publish([kafka, ...others], 1)).toEqual([{ kind: "acked" }, { kind: "acked" }, { kind: "acked" }]);
  expect(sent).toEqual([
    {
      to: { sink: "kafka", topic: "demo" },
      key: "s-1",
      id: "e-1",
      messageId: "/demo e-1",
      type: "demo.made",
      event: '{"specversion":"1.0","id":"e-1","source":"/demo","type":"demo.made","data":1}',
      traceparent: undefined,
      at: 5,
    },
  ]);
});

test("routedSink() refuses what never will be taken, with the reason, and lets other failures be tried again", async () => {
  const refusing = broker(() => Promise.reject(new RefusedRouteError("route", "No such place")));
  expect(await refusing.publish([kafka], 1)).toEqual([{ kind: "refused", detail: "No such place", reason: "route" }]);
  const failing = broker(() => Promise.reject(new Error("away")));
  expect(failing.publish([kafka], 1)).rejects.toThrow("away");
});

test("absentSink() refuses what goes to a broker that is not configured, and says which setting is missing", async () => {
  expect(await absentSink("kafka", "KAFKA_BROKERS").publish([kafka], 1)).toMatchObject([
    { kind: "refused", reason: "route", detail: expect.stringContaining("KAFKA_BROKERS") },
  ]);
});

test("routedSink() refuses a place that is reserved, whatever a route says", async () => {
  const sent: unknown[] = [];
  const sink = routedSink(
    {
      broker: "kafka",
      send: async (one) => void sent.push(one),
      check: async () => undefined,
      close: async () => undefined,
    },
    { refuses: (to) => (to.sink === "kafka" && to.topic === "demo" ? "is reserved" : undefined) },
  );
  expect(await sink.publish([kafka], 1)).toMatchObject([{ kind: "refused", reason: "route" }]);
  expect(sent).toEqual([]);
});

test("routedSink() sends numbers as they came, and tells events of different sources apart by their message id", async () => {
  const sent: Routed<"kafka">[] = [];
  const sink = broker(async (routed) => void sent.push(routed));
  const of = (source: string, id: string): OutboxRecord => ({
    ...kafka,
    body: `{"to":{"sink":"kafka","topic":"demo"},"key":"k","event":{"id":${JSON.stringify(id)},"source":${JSON.stringify(source)},"type":"t","data":{"n":9007199254740993,"m":1.0,"x":1e400}}}`,
  });
  const all = [of("/a", "1"), of("/b", "1"), of("a", "b 1"), of("a b", "1"), of("a", "ü"), of("/a", "x".repeat(300))];
  await sink.publish(all, 1);
  expect(sent[0]?.event).toContain('"data":{"n":9007199254740993,"m":1.0,"x":1e400}');
  expect(new Set(sent.map(({ messageId }) => messageId)).size).toBe(all.length);
  for (const { messageId } of sent) expect(messageId).toMatch(/^[\x20-\x7e]{1,255}$/);
});

test("headerText() is visible ASCII, and can be read back", () => {
  for (const text of [
    "order.placed.v1",
    "orders/create",
    "Push Hook",
    "größe",
    "100%",
    'a"b',
    "https://example.com/made?a=b",
  ]) {
    expect(headerText(text)).toMatch(/^[\x21-\x7e]+$/);
    expect(decodeURIComponent(headerText(text))).toBe(text);
  }
  expect(headerText("orders/create")).toBe("orders/create");
});
