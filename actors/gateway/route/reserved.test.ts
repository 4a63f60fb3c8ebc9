import { expect, test } from "bun:test";
import type { Destination } from "./messages.ts";
import { isReservedSource, reservedPlace } from "./reserved.ts";

const nouns = new Set(["order", "delivery"]);

test("the places of our own events are no targets, whatever cluster they are of", () => {
  const own: Destination[] = [
    { sink: "kafka", topic: "order.events.v1" },
    { sink: "kafka", topic: "blue.order.events.v1" },
    { sink: "kafka", topic: "delivery.events.v2" },
    { sink: "nats", subject: "evt.order" },
    { sink: "nats", subject: "evt.order.cancelled.v1" },
    { sink: "nats", subject: "blue.evt.delivery.scheduled.v1" },
    { sink: "rabbitmq", exchange: "events" },
    { sink: "rabbitmq", exchange: "events", routingKey: "order.placed.v1" },
    { sink: "redis", stream: "events:order" },
    { sink: "redis", stream: "blue:events:delivery" },
  ];
  for (const to of own) expect([to, reservedPlace(to, nouns)]).toEqual([to, expect.any(String)]);
  const others: Destination[] = [
    { sink: "kafka", topic: "github.events.v1" },
    { sink: "kafka", topic: "order.hooks" },
    { sink: "nats", subject: "evt.github.opened" },
    { sink: "nats", subject: "hooks.order" },
    { sink: "rabbitmq", exchange: "hooks", routingKey: "order.placed.v1" },
    { sink: "redis", stream: "events:github" },
    { sink: "redis", stream: "order" },
  ];
  for (const to of others) expect([to, reservedPlace(to, nouns)]).toEqual([to, undefined]);
});

test("no event from outside says that it comes from a registered source or from an actor of ours", () => {
  const registered = (name: string): boolean => name === "github";
  for (const source of [
    ...[
      "github",
      "/sources/github",
      "/sources/other",
      "/sources",
      "//here.invalid/sources/github",
      "/sources/github?a=b",
    ],
    ...["/order/ord_1", "/order", "/x/../order/ord_1", "/./order/1", "/%6frder/1", "/ORDER/1", "order/1"],
    ...["\\order\\1", "/\\here.invalid/order/1", "/\torder/1"],
  ])
    expect([source, isReservedSource(source, nouns, registered)]).toEqual([source, true]);
  for (const source of [
    "/demo",
    "demo",
    "gitlab",
    "https://example.com/order/1",
    "urn:order:1",
    "/orders/1",
    "/events",
  ])
    expect([source, isReservedSource(source, nouns, registered)]).toEqual([source, false]);
});
