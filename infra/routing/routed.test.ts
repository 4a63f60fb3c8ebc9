import { expect, test } from "bun:test";
import type { OutboxRecord } from "#runtime";
import { absentSink, RefusedRouteError, type Routed, routedSink } from "./routed.ts";

const record = (to: object | null, target: string): OutboxRecord => ({
  partition: 1,
  seq: 1,
  kind: "routed",
  id: "rtd_1",
  name: "demo.made",
  actor: { type: "inbox", key: "1" },
  target,
  body: JSON.stringify({ to, key: "s-1", event: { specversion: "1.0", id: "e-1", type: "demo.made", data: 1 } }),
  at: 5,
  traceparent: undefined,
});
const kafka = record({ sink: "kafka", topic: "demo" }, "kafka:demo:s-1");

function broker(send: (routed: Routed<"kafka">) => Promise<void>) {
  return routedSink({ broker: "kafka", send, check: async () => undefined, close: async () => undefined }, ["gateway"]);
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
      type: "demo.made",
      event: '{"specversion":"1.0","id":"e-1","type":"demo.made","data":1}',
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
