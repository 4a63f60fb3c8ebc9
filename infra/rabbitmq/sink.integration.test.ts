import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { AMQPClient } from "@cloudamqp/amqp-client";
import { type OutboxRecord, silentLog } from "#runtime";
import { type Delivered, sinkConformance } from "#runtime/testing";
import { eventually } from "../testing/eventually.ts";
import { OwnBroker } from "../testing/own-broker.ts";
import { RabbitMqUnavailableError } from "./errors.ts";
import { rabbitMqSink } from "./sink.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(120_000);

let broker: OwnBroker;
beforeAll(async () => {
  broker = await OwnBroker.start("rabbitmq");
}, 300_000);
afterAll(() => broker[Symbol.asyncDispose]());

/**
 * A queue that gets what fits of an exchange, made before the first publish. Durable, but no quorum queue: RabbitMQ 3
 * keeps the name of a new one in memory for some seconds, and a broker killed meanwhile comes back unable to serve it.
 */
async function bindQueue(exchange: string, pattern: string): Promise<void> {
  const client = await new AMQPClient(broker.address, undefined, null).connect();
  const channel = await client.channel();
  await channel.exchangeDeclare(exchange, "topic", { durable: true });
  await channel.queueDeclare(`${exchange}.all`, { durable: true });
  await channel.queueBind(`${exchange}.all`, exchange, pattern);
  await client.close();
}

/** Takes all messages of the queue and gives them back. */
async function readQueue(exchange: string): Promise<Delivered[]> {
  const client = await new AMQPClient(broker.address, undefined, null).connect();
  const channel = await client.channel();
  const delivered: Delivered[] = [];
  for (;;) {
    const message = await channel.basicGet(`${exchange}.all`, { noAck: false });
    if (message === null) break;
    const { messageId, contentType, headers } = message.properties;
    delivered.push({
      id: messageId ?? "",
      place: message.routingKey,
      key: undefined,
      contentType,
      traceparent: headers?.["traceparent"] as string | undefined,
      body: message.bodyString() ?? "",
    });
  }
  // What was not acknowledged goes back to its place when the connection ends.
  await client.close();
  return delivered;
}

const newExchange = (): string => `test-${crypto.randomUUID().slice(0, 8)}`;

sinkConformance("rabbitMqSink()", test, async () => {
  const exchange = newExchange();
  await bindQueue(exchange, "#");
  const sink = rabbitMqSink({ url: broker.address, log: silentLog, exchange });
  return {
    sink,
    expected: (record) => ({ place: record.name, key: undefined }),
    readAll: () => readQueue(exchange),
    dropsRepeats: false,
    tooLargeBytes: 2 * 1024 * 1024,
    kill: () => broker.kill(),
    restart: () => broker.start(),
    [Symbol.asyncDispose]: () => sink.close(),
  };
});

function record(over: Partial<OutboxRecord> = {}): OutboxRecord {
  return {
    partition: 0,
    seq: 1,
    kind: "event",
    id: `evt_${crypto.randomUUID()}`,
    name: "order.placed.v1",
    actor: { type: "order", key: "ord_1" },
    target: "ord_1",
    body: "{}",
    at: 0,
    traceparent: undefined,
    ...over,
  };
}

test("rabbitMqSink() refuses an event that no queue is bound for, and acks its neighbours", async () => {
  const exchange = newExchange();
  await bindQueue(exchange, "order.*.v1");
  const sink = rabbitMqSink({ url: broker.address, log: silentLog, exchange });
  const results = await sink.publish([record(), record({ name: "stock.reserved.v1" }), record()], 1);
  expect(results.map(({ kind }) => kind)).toEqual(["acked", "refused", "acked"]);
  expect(results[1]).toEqual({ kind: "refused", detail: "No queue is bound for this event" });
  expect((await readQueue(exchange)).length).toBe(2);
  await sink.close();
});

test("rabbitMqSink() passes over an event that no queue is bound for when told to", async () => {
  const sink = rabbitMqSink({ url: broker.address, log: silentLog, exchange: newExchange(), unroutable: "pass" });
  expect(await sink.publish([record()], 1)).toEqual([{ kind: "acked" }]);
  await sink.close();
});

test("rabbitMqSink() rejects within its deadline when the broker hangs, and goes on when it does", async () => {
  const exchange = newExchange();
  await bindQueue(exchange, "#");
  const sink = rabbitMqSink({ url: broker.address, log: silentLog, exchange, deadlineMs: 1_000 });
  await sink.publish([record()], 1);
  const held = record();
  await broker.hang();
  try {
    const failure = await sink.publish([held], 1).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(RabbitMqUnavailableError);
    expect((failure as Error).message).toBe("Cannot publish 1 events: no answer within 1000 ms");
  } finally {
    broker.resume();
  }
  await eventually("the event is taken", 30_000, () => sink.publish([held], 2).catch(() => undefined));
  expect((await readQueue(exchange)).map(({ id }) => id)).toContain(held.id);
  await sink.close();
});

test("rabbitMqSink() rejects once, and nothing is left unheard, when the broker dies with a batch half written", async () => {
  const exchange = newExchange();
  await bindQueue(exchange, "#");
  const sink = rabbitMqSink({ url: broker.address, log: silentLog, exchange });
  await sink.publish([record()], 1);
  await broker.hang();
  // More than the sockets' buffers hold: the last writes wait for a broker that reads no more.
  const batch = Array.from({ length: 40 }, () => record({ body: JSON.stringify("x".repeat(500_000)) }));
  const publishing = sink.publish(batch, 1).catch((error: unknown) => error);
  await broker.kill();
  expect(await publishing).toBeInstanceOf(RabbitMqUnavailableError);
  await broker.start();
  await eventually("the events are taken", 30_000, () => sink.publish(batch, 2).catch(() => undefined));
  await sink.close();
});
