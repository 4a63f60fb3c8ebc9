import { Customer } from "#actors/shop/customer/customer.ts";
import { Delivery } from "#actors/shop/delivery/delivery.ts";
import { Invoice } from "#actors/shop/invoice/invoice.ts";
import { Notification } from "#actors/shop/notification/notification.ts";
import type { Broker } from "#infra/base/brokers.ts";
import { onlyTypes } from "#infra/base/only-types.ts";
import { kafkaSink } from "#infra/kafka/sink.ts";
import { kafkaSource } from "#infra/kafka/source.ts";
import { kafkaTail } from "#infra/kafka/tail.ts";
import type { NatsLink } from "#infra/nats/connection.ts";
import { natsSink } from "#infra/nats/sink.ts";
import { natsSource } from "#infra/nats/source.ts";
import { natsTail } from "#infra/nats/tail.ts";
import { rabbitMqSink } from "#infra/rabbitmq/sink.ts";
import { rabbitMqSource } from "#infra/rabbitmq/source.ts";
import { rabbitMqTail } from "#infra/rabbitmq/tail.ts";
import { redisSink } from "#infra/redis/sink.ts";
import { redisSource } from "#infra/redis/source.ts";
import { redisTail } from "#infra/redis/tail.ts";
import type { BrokerTail } from "#infra/tail/tail.ts";
import type { Log, Sink, Source } from "#runtime";
/**
 * Which broker carries what: where events go, and where the events come from that actors subscribe to.
 *
 * All events go to NATS and Kafka. RabbitMQ and Redis get what is consumed there, and what the contract promises there.
 */
import { clusterNames } from "./cluster-names.ts";
import { OPEN, type Security } from "./security.ts";
import type { Settings } from "./settings.ts";
import { type Subscriber, SUBSCRIBERS } from "./subscribers.ts";

/** What the brokers are given events and asked for them by. */
export interface Brokers {
  readonly sinks: readonly Sink[];
  /** By actor type. */
  readonly sources: Readonly<Record<string, Source>>;
  /** Why a broker takes nothing from publishers now, by sink: `undefined` when it does. */
  readonly blocked: ReadonlyMap<string, () => string | undefined>;
  /** What people look at them by. */
  readonly tails: readonly BrokerTail[];
}

type BrokerSettings = Pick<
  Settings,
  "KAFKA_BROKERS" | "RABBITMQ_URL" | "REDIS_URL" | "TROUPE_CLUSTER" | "TROUPE_SUBSCRIPTIONS"
>;

/** Queues with a name that is part of the contract. */
const QUEUES: Readonly<Partial<Record<Subscriber, string>>> = { invoice: "orders" };
/** What Redis streams carry in any case; RabbitMQ likewise. */
const REDIS_TYPES = ["order.*", "delivery.*"];
const RABBITMQ_TYPES = ["order.placed.v1"];

/** Makes sinks and sources. Connects to nothing yet. A subscription whose broker is not there moves to NATS, with one line in the log. */
export function openBrokers(
  settings: BrokerSettings,
  nats: NatsLink | undefined,
  log: Log,
  { tls, kafka }: Security = OPEN,
): Brokers {
  const { KAFKA_BROKERS, RABBITMQ_URL, REDIS_URL, TROUPE_CLUSTER: cluster } = settings;
  const { prefix, events: own, routed } = clusterNames(cluster);
  const chosen = choose(settings, nats !== undefined, log);
  const typesAt = (broker: Broker): string[] =>
    SUBSCRIBERS.filter((subscriber) => chosen[subscriber] === broker).flatMap(typesOf);
  const sinks: Sink[] = [];
  const sources: Partial<Record<Broker, Source>> = {};
  const blocked = new Map<string, () => string | undefined>();
  const tails: BrokerTail[] = [];
  if (nats !== undefined) {
    sinks.push(natsSink({ connection: nats, log, ...own }));
    sources.nats = natsSource({ connection: nats, log, ...own });
    tails.push(natsTail(nats, [own.stream ?? "EVENTS", routed.stream ?? "ROUTED"]));
  }
  if (KAFKA_BROKERS !== undefined) {
    const place = { brokers: KAFKA_BROKERS, security: kafka, log, topicPrefix: prefix };
    sinks.push(kafkaSink(place));
    sources.kafka = kafkaSource(place);
    tails.push(kafkaTail({ brokers: KAFKA_BROKERS, security: kafka, prefix }));
  }
  if (RABBITMQ_URL !== undefined) {
    const place = { url: RABBITMQ_URL, tls, log, exchange: `${prefix}events` };
    const consumed = SUBSCRIBERS.filter((subscriber) => chosen[subscriber] === "rabbitmq");
    const names = Object.fromEntries(consumed.map((name) => [name, `${prefix}${QUEUES[name] ?? name}`]));
    const queues = consumed.map((name) => ({ name: names[name] ?? name, types: boundTypesOf(name) }));
    // Without a queue of ours it is for others to bind one, or not.
    const types = queues.length > 0 ? [...new Set(queues.flatMap((queue) => queue.types))] : RABBITMQ_TYPES;
    const sink = rabbitMqSink({ ...place, queues, unroutable: queues.length > 0 ? "refuse" : "pass" });
    sinks.push(onlyTypes(sink, types));
    blocked.set(sink.name, () => sink.blocked());
    sources.rabbitmq = rabbitMqSource({ ...place, queues: names });
    tails.push(rabbitMqTail({ ...place, queues: Object.values(names) }));
  }
  if (REDIS_URL !== undefined) {
    const place = { url: REDIS_URL, tls, log, streamPrefix: cluster === "default" ? "" : `${cluster}:` };
    sinks.push(onlyTypes(redisSink(place), [...REDIS_TYPES, ...typesAt("redis")]));
    sources.redis = redisSource(place);
    tails.push(redisTail(place));
  }
  const byType = SUBSCRIBERS.flatMap((subscriber) => {
    const source = sources[chosen[subscriber]];
    return source === undefined ? [] : [[subscriber, source] as const];
  });
  // What was reconciled comes back over Kafka, where there is one: only then a service is DONE.
  const echo = sources.kafka === undefined ? {} : { service: sources.kafka };
  return { sinks, sources: { ...Object.fromEntries(byType), ...echo }, blocked, tails };
}

/** The broker of each subscription, as far as they are there. */
function choose(settings: BrokerSettings, nats: boolean, log: Log): Readonly<Record<Subscriber, Broker>> {
  const there: Readonly<Record<Broker, boolean>> = {
    nats,
    kafka: settings.KAFKA_BROKERS !== undefined,
    rabbitmq: settings.RABBITMQ_URL !== undefined,
    redis: settings.REDIS_URL !== undefined,
  };
  const wanted = settings.TROUPE_SUBSCRIPTIONS;
  const moved = SUBSCRIBERS.filter((subscriber) => !there[wanted[subscriber]]);
  if (moved.length > 0) {
    const missing = [...new Set(moved.map((subscriber) => wanted[subscriber]))];
    log("warn", "subscriptions:moved", { subscriptions: moved, missing, to: nats ? "nats" : "none: they wait" });
  }
  return { ...wanted, ...Object.fromEntries(moved.map((subscriber) => [subscriber, "nats" as const])) };
}

const TYPES: Readonly<Record<Subscriber, readonly string[]>> = {
  customer: Object.keys(Customer.options.subscribe ?? {}),
  delivery: Object.keys(Delivery.options.subscribe ?? {}),
  invoice: Object.keys(Invoice.options.subscribe ?? {}),
  notification: Object.keys(Notification.options.subscribe ?? {}),
};

/** What a queue is bound to: what its consumer takes, and what the contract says of the queue `orders`. */
function boundTypesOf(subscriber: Subscriber): readonly string[] {
  return [...new Set([...(subscriber in QUEUES ? RABBITMQ_TYPES : []), ...typesOf(subscriber)])];
}

function typesOf(subscriber: Subscriber): readonly string[] {
  return TYPES[subscriber];
}
