/** How often the brokers are gone to for many events: counts, which are the same on every machine. */
import { expect, setDefaultTimeout, spyOn, test } from "bun:test";
import { AMQPClient } from "@cloudamqp/amqp-client";
import { Admin } from "@platformatic/kafka";
import { createClient } from "redis";
import { EventProducer } from "#infra/kafka/producer.ts";
import { kafkaSink } from "#infra/kafka/sink.ts";
import { ConfirmSession } from "#infra/rabbitmq/session.ts";
import { rabbitMqSink } from "#infra/rabbitmq/sink.ts";
import { RedisSession } from "#infra/redis/session.ts";
import { testServer } from "#infra/stack/for-tests.ts";
import { type OutboxRecord, type Sink, silentLog } from "#runtime";
import { routedKafka } from "./kafka.ts";
import { routedRabbitMq } from "./rabbitmq.ts";
import { routedRedis } from "./redis.ts";
import type { Address, Routed } from "./routed.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(120_000);

const KEYS = 1_000;
const own = (): string => `t${crypto.randomUUID().slice(0, 8)}`;

/** One event of each key, sent in one moment, as a keyed lane does. */
function sendAll<A extends Address>(to: A, send: (routed: Routed<A["sink"]>) => Promise<void>): Promise<unknown> {
  const all = Array.from({ length: KEYS }, (_, n) => {
    const id = `e-${n}`;
    const event = JSON.stringify({ specversion: "1.0", id, type: "demo.made", data: n });
    const one = { key: `k${n}`, id, messageId: `/demo ${id}`, type: "demo.made", event, traceparent: undefined, at: 1 };
    return send({ ...one, to } as unknown as Routed<A["sink"]>);
  });
  return Promise.all(all);
}

test("a thousand routed events of as many keys go to Kafka in one produce", async () => {
  const brokers = await testServer("kafka");
  const topicPrefix = `${own()}.`;
  const broker = routedKafka({ brokers, log: silentLog, topicPrefix });
  const to = { sink: "kafka", topic: "demo.many" } as const;
  await sendAll(to, (routed) => broker.send(routed));
  const produces = spyOn(EventProducer.prototype, "send");
  await sendAll(to, (routed) => broker.send(routed));
  expect(produces.mock.calls.map(([messages]) => messages.length)).toEqual([KEYS]);
  produces.mockRestore();
  await broker.close();
  const admin = new Admin({ clientId: "test", bootstrapBrokers: brokers.split(",") });
  await admin.deleteTopics({ topics: [`${topicPrefix}demo.many`] });
  await admin.close();
});

test("a thousand routed events of as many keys go to RabbitMQ in a few writes, and wait for their confirms side by side", async () => {
  const url = await testServer("rabbitmq");
  const exchangePrefix = `${own()}.`;
  const client = await new AMQPClient(url, undefined, null).connect();
  const channel = await client.channel();
  await channel.exchangeDeclare(`${exchangePrefix}many`, "topic", { durable: true });
  const { name } = await channel.queueDeclare("", { exclusive: true });
  await channel.queueBind(name, `${exchangePrefix}many`, "#");
  const broker = routedRabbitMq({ url, log: silentLog, exchangePrefix });
  const to = { sink: "rabbitmq", exchange: "many" } as const;
  await sendAll(to, (routed) => broker.send(routed));
  const writes = spyOn(AMQPClient.prototype, "send");
  await sendAll(to, (routed) => broker.send(routed));
  expect(writes.mock.calls.length).toBeLessThanOrEqual(4);
  writes.mockRestore();
  await broker.close();
  await channel.exchangeDelete(`${exchangePrefix}many`);
  await client.close();
});

test("a thousand routed events of as many keys go to Redis in one pipeline", async () => {
  const url = await testServer("redis");
  const streamPrefix = `${own()}:`;
  const broker = routedRedis({ url, log: silentLog, streamPrefix });
  const to = { sink: "redis", stream: "many" } as const;
  await sendAll(to, (routed) => broker.send(routed));
  const uses = spyOn(RedisSession.prototype, "use");
  await sendAll(to, (routed) => broker.send(routed));
  // The pipeline, and the look whether the stream is to be trimmed.
  expect(uses.mock.calls.map(([what]) => what)).toEqual([`publish ${KEYS} routed events`, "trim streams"]);
  uses.mockRestore();
  await broker.close();
  const client = createClient({ url });
  await client.connect();
  await client.del(`${streamPrefix}many`);
  client.destroy();
});

const events = (from: number, count: number): OutboxRecord[] =>
  Array.from({ length: count }, (_, i) => {
    const n = from + i;
    const of = { partition: 1, seq: n + 1, kind: "event", name: "demo.made.v1", target: `demo/k${n % 100}` } as const;
    const body = JSON.stringify({ n, note: "x".repeat(288) });
    return { ...of, id: `evt_${n}`, actor: { type: "demo", key: `k${n % 100}` }, body, at: 1, traceparent: undefined };
  });

/** As a relay hands over a backlog. */
async function drain(sink: Sink, count: number): Promise<void> {
  const { lane } = sink;
  if (lane.kind !== "batch") throw new TypeError(`The sink ${sink.name} takes no batches`);
  for (let from = 0; from < count; from += lane.maxBatch)
    await sink.publish(events(from, Math.min(lane.maxBatch, count - from)), 1);
}

test("a backlog of events of 300 bytes takes Kafka one produce per thousand", async () => {
  const brokers = await testServer("kafka");
  const topicPrefix = `${own()}.`;
  const sink = kafkaSink({ brokers, log: silentLog, topicPrefix });
  await sink.publish(events(0, 1), 1);
  const produces = spyOn(EventProducer.prototype, "send");
  await drain(sink, 8_000);
  expect(produces.mock.calls.length).toBeLessThanOrEqual(8);
  produces.mockRestore();
  await sink.close();
  const admin = new Admin({ clientId: "test", bootstrapBrokers: brokers.split(",") });
  await admin.deleteTopics({ topics: [`${topicPrefix}demo.events.v1`] });
  await admin.close();
});

test("a backlog of events of 300 bytes takes RabbitMQ two waits for confirms per thousand, and two writes to each", async () => {
  const url = await testServer("rabbitmq");
  const name = own();
  const sink = rabbitMqSink({ url, log: silentLog, exchange: name, queues: [{ name, types: ["demo.made.v1"] }] });
  await sink.publish(events(0, 1), 1);
  const publishes = spyOn(ConfirmSession.prototype, "publish");
  const writes = spyOn(AMQPClient.prototype, "send");
  await drain(sink, 4_000);
  expect(publishes.mock.calls.length).toBeLessThanOrEqual(8);
  expect(writes.mock.calls.length).toBeLessThanOrEqual(16);
  publishes.mockRestore();
  writes.mockRestore();
  await sink.close();
  const client = await new AMQPClient(url, undefined, null).connect();
  const channel = await client.channel();
  await channel.queueDelete(name);
  await channel.exchangeDelete(name);
  await client.close();
});
