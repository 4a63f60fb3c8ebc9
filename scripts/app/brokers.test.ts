import { expect, test } from "bun:test";
import { connectNats } from "#infra/nats/connection.ts";
import { type Log, silentLog } from "#runtime";
import { openBrokers } from "./brokers.ts";
import { readSettings } from "./settings.ts";

const RABBITMQ_URL = "amqp://127.0.0.1:1";
const REDIS_URL = "redis://127.0.0.1:1";

/** Nothing is there: handles alone are looked at. */
async function brokersOf(environment: Readonly<Record<string, string>>, withNats = true) {
  const lines: unknown[] = [];
  const log: Log = (level, event, fields) => void lines.push([level, event, fields]);
  const nats = withNats ? connectNats({ url: "nats://127.0.0.1:1", log: silentLog }) : undefined;
  const { sinks, sources } = openBrokers(readSettings(environment), nats, log);
  await Promise.all(sinks.map((sink) => sink.close()));
  await nats?.close();
  const takenFrom = Object.fromEntries(Object.entries(sources).map(([type, source]) => [type, source.name]));
  return { sinks: sinks.map(({ name }) => name), takenFrom, lines };
}

test("each subscription takes the broker it is given, and by default each broker has one", async () => {
  expect(await brokersOf({ RABBITMQ_URL, REDIS_URL, KAFKA_BROKERS: "127.0.0.1:1" })).toEqual({
    sinks: ["nats", "kafka", "rabbitmq", "redis"],
    takenFrom: { customer: "kafka", delivery: "nats", invoice: "rabbitmq", notification: "redis", service: "kafka" },
    lines: [],
  });
  const { takenFrom } = await brokersOf({
    RABBITMQ_URL,
    REDIS_URL,
    KAFKA_BROKERS: "127.0.0.1:1",
    TROUPE_SUBSCRIPTIONS: "notification=kafka, delivery=rabbitmq",
  });
  expect(takenFrom).toEqual({
    customer: "kafka",
    delivery: "rabbitmq",
    invoice: "rabbitmq",
    notification: "kafka",
    service: "kafka",
  });
});

test("subscriptions whose broker is missing move to NATS, with one line in the log", async () => {
  const { sinks, takenFrom, lines } = await brokersOf({});
  expect(sinks).toEqual(["nats"]);
  expect(takenFrom).toEqual({ customer: "nats", delivery: "nats", invoice: "nats", notification: "nats" });
  expect(lines).toEqual([
    [
      "warn",
      "subscriptions:moved",
      { subscriptions: ["customer", "invoice", "notification"], missing: ["kafka", "rabbitmq", "redis"], to: "nats" },
    ],
  ]);
});

test("without NATS a subscription to it waits, and the others go on", async () => {
  const { takenFrom } = await brokersOf({ RABBITMQ_URL }, false);
  expect(takenFrom).toEqual({ invoice: "rabbitmq" });
});

test.each(["invoice", "invoice=kafka9", "order=nats", "invoice=nats=redis"])(
  "TROUPE_SUBSCRIPTIONS=%s is refused",
  (text) => {
    expect(() => readSettings({ TROUPE_SUBSCRIPTIONS: text })).toThrow("TROUPE_SUBSCRIPTIONS: expected pairs of");
  },
);
