import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { AMQPClient } from "@cloudamqp/amqp-client";
import { type Handled, type OutboxRecord, silentLog, type SourceSubscription } from "#runtime";
import { type RawMessage, sourceConformance } from "#runtime/testing";
import { eventually } from "../testing/eventually.ts";
import { OwnBroker } from "../testing/own-broker.ts";
import { rabbitMqSink } from "./sink.ts";
import { rabbitMqSource } from "./source.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(120_000);

let broker: OwnBroker;
beforeAll(async () => {
  broker = await OwnBroker.start("rabbitmq");
}, 300_000);
afterAll(() => broker[Symbol.asyncDispose]());

sourceConformance("rabbitMqSource()", test, async () => {
  const exchange = `test-${crypto.randomUUID().slice(0, 8)}`;
  const name = `${exchange}.invoice`;
  // RabbitMQ 3 keeps the name of a new quorum queue in memory for some seconds: a broker killed meanwhile comes back
  // unable to serve it.
  const kind = "classic";
  const types = ["order.placed.v1", "order.paid.v1"];
  const sink = rabbitMqSink({
    url: broker.address,
    log: silentLog,
    exchange,
    unroutable: "pass",
    queues: [{ name, types, kind }],
  });
  return {
    source: () =>
      rabbitMqSource({ url: broker.address, log: silentLog, exchange, kind, queues: { invoice: name, tally: name } }),
    sink,
    publishRaw: (message) => publishRaw(exchange, message),
    ackWaitMs: 500,
    kill: () => broker.kill(),
    restart: () => broker.start(),
    [Symbol.asyncDispose]: () => sink.close(),
  };
});

/** What any client of RabbitMQ may write, with headers of every type beside those it was told. */
async function publishRaw(exchange: string, { body, headers }: RawMessage): Promise<void> {
  const client = await new AMQPClient(broker.address, undefined, null).connect();
  const channel = await client.channel();
  await channel.confirmSelect();
  const odd = { yes: true, whole: 7, big: 2n ** 40n, part: 0.5, at: new Date(0), list: [1, "a"], table: { a: null } };
  const own = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, value ?? null]));
  await channel.basicPublish(exchange, "order.placed.v1", body ?? null, {
    ...(Object.keys(headers).length === 0
      ? {}
      : { headers: { ...odd, ...own, bytes: new Uint8Array([0, 255]) } as never }),
  });
  await client.close();
}

test("rabbitMqSource() gets the messages of a dead consumer of a quorum queue first, in their order", async () => {
  const exchange = `test-${crypto.randomUUID().slice(0, 8)}`;
  const queues = { invoice: `${exchange}.invoice` };
  const types = ["order.placed.v1"];
  const sink = rabbitMqSink({
    url: broker.address,
    log: silentLog,
    exchange,
    queues: [{ name: queues.invoice, types }],
  });
  const source = rabbitMqSource({ url: broker.address, log: silentLog, exchange, queues });
  const ids = Array.from({ length: 30 }, (_, i) => `evt_${i}`);
  const received: string[] = [];
  const consume = (handled: Promise<Handled>, maxInFlight: number): SourceSubscription => ({
    consumer: "invoice",
    types,
    maxInFlight,
    handle: ({ body }) => {
      received.push((JSON.parse(body) as { id: string }).id);
      return handled;
    },
  });
  await sink.publish(ids.map(placed), 1);
  for (let round = 0; round < 25; round++) {
    received.length = 0;
    const dead = source.start(consume(new Promise(() => undefined), 10));
    await eventually("the dead consumer has its ten", 30_000, async () => received.length === 10);
    await dead.stop(0);
    expect(received).toEqual(ids.slice(0, 10));
  }
  received.length = 0;
  const next = source.start(consume(Promise.resolve("taken"), 10));
  await eventually("all are received", 30_000, async () => received.length === 30);
  expect(received).toEqual(ids);
  await next.stop(5_000);
  await sink.close();
});

function placed(id: string): OutboxRecord {
  return {
    partition: 0,
    seq: 1,
    kind: "event",
    id,
    name: "order.placed.v1",
    actor: { type: "order", key: "ord_1" },
    target: "ord_1",
    body: "{}",
    at: 0,
    traceparent: undefined,
  };
}

test("rabbitMqSource() goes on with a new queue when its own was deleted, and when the broker hung", async () => {
  const exchange = `test-${crypto.randomUUID().slice(0, 8)}`;
  const invoice = `${exchange}.invoice`;
  const types = ["order.placed.v1"];
  const sink = rabbitMqSink({ url: broker.address, log: silentLog, exchange, deadlineMs: 1_000 });
  const source = rabbitMqSource({
    url: broker.address,
    log: silentLog,
    exchange,
    queues: { invoice },
    kind: "classic",
    deadlineMs: 1_000,
  });
  const received = new Set<string>();
  const consumer = source.start({
    consumer: "invoice",
    types,
    maxInFlight: 10,
    handle: async ({ body }) => {
      received.add((JSON.parse(body) as { id: string }).id);
      return "taken";
    },
  });
  const arrives = (id: string): Promise<true> =>
    eventually(`${id} is published and received`, 60_000, async () => {
      await sink.publish([placed(id)], 1).catch(() => undefined);
      return received.has(id);
    });
  await arrives("evt_1");
  const client = await new AMQPClient(broker.address, undefined, null).connect();
  await (await client.channel()).queueDelete(invoice);
  await client.close();
  await arrives("evt_2");

  await broker.hang();
  await eventually("the hang is noticed", 30_000, () =>
    consumer.lag().then(
      () => false,
      () => true,
    ),
  );
  broker.resume();
  await arrives("evt_3");
  await consumer.stop(5_000);
  await sink.close();
});

test("rabbitMqSource() binds again when its exchange was deleted and made anew by a sink without queues, and no event is lost", async () => {
  const exchange = `test-${crypto.randomUUID().slice(0, 8)}`;
  const invoice = `${exchange}.invoice`;
  const sink = rabbitMqSink({ url: broker.address, log: silentLog, exchange, unroutable: "pass" });
  const source = rabbitMqSource({
    url: broker.address,
    log: silentLog,
    exchange,
    queues: { invoice },
    kind: "classic",
  });
  const received = new Set<string>();
  const consumer = source.start({
    consumer: "invoice",
    types: ["order.placed.v1"],
    maxInFlight: 10,
    handle: async ({ body }) => {
      received.add((JSON.parse(body) as { id: string }).id);
      return "taken";
    },
  });
  await eventually("the queue is there", 30_000, async () => (await consumer.lag().catch(() => -1)) === 0);
  const client = await new AMQPClient(broker.address, undefined, null).connect();
  const channel = await client.channel();
  /** As the relay does: until it is acknowledged. */
  const publish = (id: string): Promise<true> =>
    eventually(`${id} is acknowledged`, 30_000, async () => {
      const [result] = await sink.publish([placed(id)], 1).catch(() => []);
      return result?.kind === "acked";
    });
  const losses: readonly (() => Promise<unknown>)[] = [
    async () => undefined,
    () => channel.exchangeDelete(exchange),
    () => channel.queueUnbind(invoice, exchange, "order.placed.v1"),
    () => channel.queueDelete(invoice),
  ];
  for (const [i, lose] of losses.entries()) {
    await lose();
    await publish(`evt_${i}`);
    await eventually(`evt_${i} is received`, 10_000, async () => received.has(`evt_${i}`));
  }
  await client.close();
  await consumer.stop(5_000);
  await sink.close();
});
