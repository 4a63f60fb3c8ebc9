import { expect, test } from "bun:test";
import { retriesOf, type RoutingSettings, unroutedOf } from "./routing.ts";
import { readSettings } from "./settings.ts";

const settings = (given: Record<string, string>): RoutingSettings =>
  readSettings({ NATS_URL: "nats://n:4222", ...given });

test("an event that no route matches goes to the topic, the exchange, both or nowhere", () => {
  expect(unroutedOf(settings({}))).toEqual([]);
  expect(unroutedOf(settings({ ROUTING_DEFAULT_TOPIC: "spare.v1" }))).toEqual([{ sink: "kafka", topic: "spare.v1" }]);
  const exchange = { ROUTING_DEFAULT_EXCHANGE: "spare" };
  expect(unroutedOf(settings(exchange))).toEqual([{ sink: "rabbitmq", exchange: "spare" }]);
  expect(unroutedOf(settings({ ...exchange, ROUTING_DEFAULT_TOPIC: "t", ROUTING_DEFAULT_ROUTING_KEY: "a.b" }))).toEqual(
    [
      { sink: "kafka", topic: "t" },
      { sink: "rabbitmq", exchange: "spare", routingKey: "a.b" },
    ],
  );
});

test("as many tries follow the first as there may be, the last pause again where there are too few", () => {
  const WEBHOOK_RETRIES = "1s,2s,3s";
  expect(retriesOf(settings({ WEBHOOK_RETRIES }))).toEqual([1_000, 2_000, 3_000]);
  expect(retriesOf(settings({ WEBHOOK_RETRIES, ROUTING_MAX_RETRIES: "0" }))).toEqual([]);
  expect(retriesOf(settings({ WEBHOOK_RETRIES, ROUTING_MAX_RETRIES: "2" }))).toEqual([1_000, 2_000]);
  expect(retriesOf(settings({ WEBHOOK_RETRIES, ROUTING_MAX_RETRIES: "5" }))).toEqual([
    1_000, 2_000, 3_000, 3_000, 3_000,
  ]);
});
