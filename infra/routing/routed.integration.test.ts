import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { AMQPClient } from "@cloudamqp/amqp-client";
import { DiscardPolicy, jetstream, jetstreamManager } from "@nats-io/jetstream";
import { Admin } from "@platformatic/kafka";
import { createClient } from "redis";
import type { Broker } from "#infra/base/brokers.ts";
import { readTopics } from "#infra/kafka/read-topics.fixture.ts";
import { connectNats } from "#infra/nats/connection.ts";
import { testServer } from "#infra/stack/for-tests.ts";
import { silentLog } from "#runtime";
import { routedKafka } from "./kafka.ts";
import { routedNats } from "./nats.ts";
import { routedRabbitMq } from "./rabbitmq.ts";
import { routedRedis } from "./redis.ts";
import type { Address, Routed, RoutedBroker } from "./routed.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(120_000);

const COUNT = 100;
const own = (): string => `t${crypto.randomUUID().slice(0, 8)}`;

function routed<A extends Address>(to: A, n: number, data: unknown = n): Routed<A["sink"]> {
  const id = `e-${n}`;
  const event = JSON.stringify({ specversion: "1.0", id, type: "demo.made", data });
  return {
    to: to as never,
    key: "s-1",
    id,
    messageId: `/demo ${id}`,
    type: "demo.made",
    event,
    traceparent: undefined,
    at: Date.now(),
  };
}

/** One after the other, as a keyed lane sends what goes to one place under one key. */
async function sendAll<B extends Broker>(broker: RoutedBroker<B>, to: Extract<Address, { sink: B }>): Promise<void> {
  for (let n = 0; n < COUNT; n++) await broker.send(routed(to, n) as Routed<B>);
}

const inOrder = Array.from({ length: COUNT }, (_, n) => `e-${n}`);

describe("routedKafka()", () => {
  test("makes the topic, keeps the order of a key, and sends what comes at once together", async () => {
    const brokers = await testServer("kafka");
    const topicPrefix = `${own()}.`;
    const broker = routedKafka({ brokers, log: silentLog, topicPrefix });
    await sendAll(broker, { sink: "kafka", topic: "demo.events" });
    const together = Array.from({ length: COUNT }, (_, n) =>
      broker.send(routed({ sink: "kafka", topic: "demo.more" }, n)),
    );
    await Promise.all(together);
    const seen = await readTopics(brokers, topicPrefix);
    for (const topic of ["demo.events", "demo.more"])
      expect(seen.filter(({ place }) => place === topicPrefix + topic).map(({ id }) => id)).toEqual(inOrder);
    expect(seen[0]).toMatchObject({ key: "s-1", contentType: "application/cloudevents+json" });
    await broker.close();
    const admin = new Admin({ clientId: "test", bootstrapBrokers: brokers.split(",") });
    await admin.deleteTopics({ topics: ["demo.events", "demo.more"].map((topic) => topicPrefix + topic) });
    await admin.close();
  });

  test("refuses an event that the topic does not take, and goes on with the others beside it", async () => {
    const brokers = await testServer("kafka");
    const topicPrefix = `${own()}.`;
    const broker = routedKafka({ brokers, log: silentLog, topicPrefix });
    const to = { sink: "kafka", topic: "demo.large" } as const;
    const sent = await Promise.allSettled([
      broker.send(routed(to, 1)),
      broker.send(routed(to, 2, "x".repeat(2_000_000))),
      broker.send(routed(to, 3)),
    ]);
    expect(sent.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(sent[1]).toMatchObject({ reason: { name: "RefusedRouteError", reason: "broker" } });
    await broker.close();
  });
});

describe("routedRabbitMq()", () => {
  test("keeps the order, tells what no queue is bound for, and uses an exchange of another kind as it is", async () => {
    const url = await testServer("rabbitmq");
    const exchangePrefix = `${own()}.`;
    const broker = routedRabbitMq({ url, log: silentLog, exchangePrefix });
    const to = { sink: "rabbitmq", exchange: "fan", routingKey: "a.b" } as const;
    const client = await new AMQPClient(url, undefined, null).connect();
    const channel = await client.channel();
    await channel.exchangeDeclare(`${exchangePrefix}fan`, "fanout", { durable: true });
    await expect(broker.send(routed(to, 0))).rejects.toMatchObject({ name: "RefusedRouteError", reason: "route" });
    const { name } = await channel.queueDeclare("", { exclusive: true });
    await channel.queueBind(name, `${exchangePrefix}fan`, "");
    await sendAll(broker, to);
    const seen: string[] = [];
    for (let n = 0; n < COUNT; n++)
      seen.push((await channel.basicGet(name, { noAck: true }))?.properties.messageId ?? "");
    expect(seen).toEqual(inOrder);
    await channel.exchangeDelete(`${exchangePrefix}fan`);
    await broker.send(routed(to, 0)).catch(() => undefined);
    await expect(broker.send(routed(to, 0))).rejects.toMatchObject({ name: "RefusedRouteError" });
    await channel.exchangeDelete(`${exchangePrefix}fan`);
    await broker.close();
    await client.close();
  });
});

describe("routedNats()", () => {
  test("stores subjects that no stream takes in one of its own, and those of events in theirs; a repeat is stored once", async () => {
    const url = await testServer("nats");
    const connection = connectNats({ url, log: silentLog, name: "routed-test" });
    await connection.ready(10_000);
    const prefix = own();
    const events = { stream: `EVENTS-${prefix}`, subjectPrefix: `${prefix}.evt` };
    const broker = routedNats({ connection, stream: `ROUTED-${prefix}`, subjectPrefix: `${prefix}.`, events });
    const send = async (subject: string): Promise<void> => {
      const to = { sink: "nats", subject } as const;
      // The first try finds that nobody takes the subject, sees to it, and is to be tried again.
      await broker.send(routed(to, 0)).catch(() => undefined);
      await sendAll(broker, to);
      await broker.send(routed(to, 0));
    };
    await Promise.all([send("hooks.a"), send("hooks.b"), send("evt.demo")]);
    const ids = await connection.use("read", 20_000, async (client) => {
      const manager = await jetstreamManager(client);
      const read = async (stream: string, subject: string): Promise<string[]> => {
        const { state } = await manager.streams.info(stream);
        const found: string[] = [];
        const consumer = await jetstream(client).consumers.get(stream);
        for await (const message of await consumer.consume()) {
          if (message.subject === subject) found.push(message.json<{ id: string }>().id);
          if (message.seq >= state.last_seq) break;
        }
        return found;
      };
      const all = [
        await read(`ROUTED-${prefix}`, `${prefix}.hooks.a`),
        await read(`ROUTED-${prefix}`, `${prefix}.hooks.b`),
        await read(`EVENTS-${prefix}`, `${prefix}.evt.demo`),
      ];
      for (const stream of ["ROUTED", "EVENTS"]) await manager.streams.delete(`${stream}-${prefix}`);
      return all;
    });
    expect(ids).toEqual([inOrder, inOrder, inOrder]);
    await connection.close();
  });
});

test("routedNats() stores what is sent together as one batch; with a repeat in it all others are stored, and none twice", async () => {
  const connection = connectNats({ url: await testServer("nats"), log: silentLog, name: "routed-test" });
  await connection.ready(10_000);
  const prefix = own();
  const stream = `ROUTED-${prefix}`;
  const manager = await connection.use("manage", 10_000, (client) => jetstreamManager(client));
  // As a version that knew of no batches has left it.
  await manager.streams.add({ name: stream, subjects: [`${prefix}.many`] });
  const broker = routedNats({ connection, stream, subjectPrefix: `${prefix}.` });
  const to = { sink: "nats", subject: "many" } as const;
  const sendMany = (from: number): Promise<unknown> =>
    Promise.all(Array.from({ length: 100 }, (_, i) => broker.send(routed(to, from + i))));
  await sendMany(0);
  await sendMany(50);
  const found = await connection.use("read", 20_000, async (client) => {
    const { state } = await manager.streams.info(stream);
    const consumer = await jetstream(client).consumers.get(stream);
    const read: { readonly id: string; readonly batch: string }[] = [];
    for await (const message of await consumer.consume()) {
      read.push({ id: message.json<{ id: string }>().id, batch: message.headers?.get("Nats-Batch-Id") ?? "" });
      if (message.seq >= state.last_seq) break;
    }
    return read;
  });
  await manager.streams.delete(stream);
  await connection.close();
  expect(found.length).toBe(150);
  expect(new Set(found.map(({ id }) => id)).size).toBe(150);
  const batches = found.slice(0, 100).map(({ batch }) => batch);
  expect([new Set(batches).size, batches.includes("")]).toEqual([1, false]);
});

describe("routedRedis()", () => {
  test("appends to the stream in order, and refuses a key that is no stream", async () => {
    const url = await testServer("redis");
    const streamPrefix = `${own()}:`;
    const broker = routedRedis({ url, log: silentLog, streamPrefix });
    const client = createClient({ url });
    await client.connect();
    await sendAll(broker, { sink: "redis", stream: "demo" });
    const entries = (await client.xRange(`${streamPrefix}demo`, "-", "+")) ?? [];
    expect(entries.map(({ message }) => message["id"])).toEqual(inOrder);
    await client.set(`${streamPrefix}text`, "x");
    await expect(broker.send(routed({ sink: "redis", stream: "text" }, 0))).rejects.toMatchObject({
      name: "RefusedRouteError",
      reason: "route",
    });
    await client.del([`${streamPrefix}demo`, `${streamPrefix}text`]);
    client.destroy();
    await broker.close();
  });
});

test("routes tell never from not now: JetStream's limits, and queues of RabbitMQ that are full", async () => {
  const connection = connectNats({ url: await testServer("nats"), log: silentLog, name: "routed-test" });
  await connection.ready(10_000);
  const prefix = own();
  const nats = routedNats({ connection, stream: `ROUTED-${prefix}`, subjectPrefix: `${prefix}.` });
  const manager = await connection.use("manage", 10_000, (client) => jetstreamManager(client));
  const limits = { max_msg_size: 1_000, max_msgs_per_subject: 1, discard: DiscardPolicy.New };
  await manager.streams.add({
    ...{ name: `OWN-${prefix}`, subjects: [`${prefix}.own.>`], discard_new_per_subject: true },
    ...limits,
  });
  const subject = (name: string): Address & { sink: "nats" } => ({ sink: "nats", subject: `own.${name}` });
  await expect(nats.send(routed(subject("a"), 0, "x".repeat(5_000)))).rejects.toMatchObject({
    name: "RefusedRouteError",
    reason: "broker",
  });
  await nats.send(routed(subject("a"), 1));
  await expect(nats.send(routed(subject("a"), 2))).rejects.toMatchObject({ name: "HeldRouteError" });
  await manager.streams.update(`OWN-${prefix}`, { sealed: true } as object);
  await expect(nats.send(routed(subject("b"), 3))).rejects.toMatchObject({ name: "RefusedRouteError" });
  await manager.streams.delete(`OWN-${prefix}`);
  await connection.close();

  const url = await testServer("rabbitmq");
  const rabbitmq = routedRabbitMq({ url, log: silentLog, exchangePrefix: `${prefix}.` });
  const client = await new AMQPClient(url, undefined, null).connect();
  const channel = await client.channel();
  await channel.exchangeDeclare(`${prefix}.crowd`, "topic", { durable: true });
  const full = { "x-max-length": 1, "x-overflow": "reject-publish" };
  await channel.queueDeclare(`${prefix}.full`, { durable: true }, full);
  await channel.queueBind(`${prefix}.full`, `${prefix}.crowd`, "#");
  const crowd = { sink: "rabbitmq", exchange: "crowd" } as const;
  await rabbitmq.send(routed(crowd, 0));
  for (let tries = 1; tries < 10; tries++)
    await expect(rabbitmq.send(routed(crowd, 1))).rejects.toMatchObject({ name: "HeldRouteError" });
  await expect(rabbitmq.send(routed(crowd, 1))).rejects.toMatchObject({ name: "RefusedRouteError", reason: "broker" });
  await rabbitmq.close();
  await channel.queueDelete(`${prefix}.full`);
  await channel.exchangeDelete(`${prefix}.crowd`);
  await client.close();
});
