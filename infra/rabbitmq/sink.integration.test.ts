import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { AMQPClient } from "@cloudamqp/amqp-client";
import { type OutboxRecord, type PublishResult, silentLog, type Sink } from "#runtime";
import { type Delivered, sinkConformance } from "#runtime/testing";
import { eventually } from "../testing/eventually.ts";
import { OwnBroker } from "../testing/own-broker.ts";
import { RabbitMqBlockedError, RabbitMqUnavailableError } from "./errors.ts";
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
  const others: Sink[] = [];
  return {
    sink,
    expected: (record) => ({ place: record.name, key: undefined }),
    readAll: () => readQueue(exchange),
    dropsRepeats: false,
    tooLargeBytes: 2 * 1024 * 1024,
    kill: () => broker.kill(),
    never: {
      "an event whose routing key its user may not write": async () => {
        const url = await userOf(exchange);
        const other = rabbitMqSink({ url, log: silentLog, exchange });
        others.push(other);
        return { sink: other, spoil: (record) => ({ ...record, name: "order.forbidden.v1" }) };
      },
      "an event without a queue": async () => {
        const lone = newExchange();
        await bindQueue(lone, "order.placed.*");
        const other = rabbitMqSink({ url: broker.address, log: silentLog, exchange: lone });
        others.push(other);
        return { sink: other, spoil: (record) => ({ ...record, name: "order.lost.v1" }) };
      },
      "an event over the broker's max_message_size": async () => {
        await broker.tool("rabbitmqctl", "eval", "application:set_env(rabbit, max_message_size, 20000).");
        const other = rabbitMqSink({ url: broker.address, log: silentLog, exchange });
        others.push(other);
        return { sink: other, spoil: (record) => ({ ...record, body: JSON.stringify("x".repeat(50_000)) }) };
      },
      "an event that a full queue does not take": async () => {
        await broker.tool("rabbitmqctl", "eval", "application:set_env(rabbit, max_message_size, 134217728).");
        const full = newExchange();
        await bindQueue(full, "order.placed.*");
        await bindFullQueue(full, "order.crowded.*");
        const other = rabbitMqSink({ url: broker.address, log: silentLog, exchange: full });
        others.push(other);
        return { sink: other, spoil: (record) => ({ ...record, name: "order.crowded.v1" }) };
      },
    },
    // RabbitMQ 3 writes new bindings down a little later than it confirms them: whoever made one makes it again.
    restart: async () => {
      await broker.start();
      await bindQueue(exchange, "#");
    },
    [Symbol.asyncDispose]: async () => {
      for (const one of [sink, ...others]) await one.close();
    },
  };
});

/** A user who may write to the exchange only what the order.placed events are. Resolves with the address for it. */
async function userOf(exchange: string): Promise<string> {
  const name = `user-${crypto.randomUUID().slice(0, 8)}`;
  await broker.tool("rabbitmqctl", "add_user", name, "s3cret");
  await broker.tool("rabbitmqctl", "set_permissions", name, ".*", ".*", ".*");
  await broker.tool("rabbitmqctl", "set_topic_permissions", name, exchange, "^order\\.placed\\.", ".*");
  const url = new URL(broker.address);
  url.username = name;
  url.password = "s3cret";
  return url.href;
}

/** A queue that holds one message already, and takes no more. */
async function bindFullQueue(exchange: string, pattern: string): Promise<void> {
  const client = await new AMQPClient(broker.address, undefined, null).connect();
  const channel = await client.channel();
  await channel.confirmSelect();
  const name = `${exchange}.full`;
  await channel.queueDeclare(name, { durable: true }, { "x-max-length": 1, "x-overflow": "reject-publish" });
  await channel.queueBind(name, exchange, pattern);
  await channel.basicPublish("", name, "x");
  await channel.basicPublish("", name, "x").catch(() => undefined);
  await client.close();
}

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

test("rabbitMqSink() makes its own queue anew that was deleted under load, and no event is refused", async () => {
  const exchange = newExchange();
  const queue = { name: `${exchange}.orders`, types: ["order.placed.v1"], kind: "classic" } as const;
  const sink = rabbitMqSink({ url: broker.address, log: silentLog, exchange, queues: [queue] });
  const kinds: PublishResult["kind"][] = [];
  const client = await new AMQPClient(broker.address, undefined, null).connect();
  const channel = await client.channel();
  for (let i = 0; i < 60; i++) {
    if (i % 20 === 10) await channel.queueDelete(queue.name);
    if (i % 20 === 15) await channel.queueUnbind(queue.name, exchange, "order.placed.v1");
    kinds.push(...(await sink.publish([record(), record()], 1)).map(({ kind }) => kind));
  }
  expect(new Set(kinds)).toEqual(new Set(["acked"]));
  expect((await channel.queueDeclare(queue.name, { passive: true })).messageCount).toBeGreaterThan(10);
  await client.close();
  await sink.close();
});

test("rabbitMqSink() lets an event wait whose type had a queue, and passes it over once patience is at its end", async () => {
  const exchange = newExchange();
  await bindQueue(exchange, "#");
  const sink = rabbitMqSink({ url: broker.address, log: silentLog, exchange, unroutable: "pass", patienceMs: 1_000 });
  const client = await new AMQPClient(broker.address, undefined, null).connect();
  const channel = await client.channel();
  const kindOf = async (name: string): Promise<string | undefined> =>
    (await sink.publish([record({ name })], 1))[0]?.kind;
  expect(await kindOf("order.placed.v1")).toBe("acked");
  await channel.queueUnbind(`${exchange}.all`, exchange, "#");
  expect(await kindOf("order.placed.v1")).toBe("held");
  expect(await kindOf("order.other.v1")).toBe("acked");
  await channel.queueBind(`${exchange}.all`, exchange, "#");
  expect(await kindOf("order.placed.v1")).toBe("acked");
  await channel.queueDelete(`${exchange}.all`);
  await eventually("patience is at its end", 10_000, async () => (await kindOf("order.placed.v1")) === "acked");
  await client.close();
  await sink.close();
});

test("rabbitMqSink() gives up on a full queue after ten tries, one event of a target at a time: the queue beside it gets no more repeats", async () => {
  const exchange = newExchange();
  await bindQueue(exchange, "#");
  await bindFullQueue(exchange, "order.crowded.*");
  const sink = rabbitMqSink({ url: broker.address, log: silentLog, exchange });
  const name = "order.crowded.v1";
  const batch = [record({ name }), record({ name }), record({ target: "ord_2" })];
  const results = new Map<string, PublishResult>();
  for (let tries = 1; results.size < 3; tries++) {
    expect(tries).toBeLessThan(30);
    const left = batch.filter(({ id }) => !results.has(id));
    const answers = await sink.publish(left, tries);
    left.forEach(({ id }, i) => answers[i]?.kind === "held" || results.set(id, answers[i] as PublishResult));
  }
  expect(batch.map(({ id }) => results.get(id)?.kind)).toEqual(["refused", "refused", "acked"]);
  expect(results.get(batch[0]?.id ?? "")).toMatchObject({ attempts: 10, detail: expect.stringContaining("full") });
  const copies = (await readQueue(exchange)).map(({ id }) => id);
  expect(batch.map(({ id }) => copies.filter((one) => one === id).length)).toEqual([10, expect.any(Number), 1]);
  expect(copies.length).toBeLessThanOrEqual(23);
  await sink.close();
});

test("rabbitMqSink() keeps its connection through an alarm, says so, and what it sent comes once when that ends", async () => {
  const exchange = newExchange();
  await bindQueue(exchange, "#");
  const sink = rabbitMqSink({ url: broker.address, log: silentLog, exchange, deadlineMs: 3_000 });
  await sink.publish([record()], 1);
  const connections = async (): Promise<string> =>
    (await broker.tool("rabbitmqctl", "--silent", "list_connections", "pid", "client_properties"))
      .split("\n")
      .filter((line) => line.includes("troupe-sink"))
      .map((line) => line.split("\t")[0])
      .join();
  const before = await connections();
  const batch = [record(), record(), record()];
  await broker.tool("rabbitmqctl", "set_vm_memory_high_watermark", "0.00001");
  try {
    for (let attempt = 1; attempt <= 6; attempt++) {
      const failure = await sink.publish(batch, attempt).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(RabbitMqBlockedError);
      await Bun.sleep(200);
    }
    expect(sink.blocked()).toContain("memory");
    await expect(sink.check()).rejects.toThrow("takes no events now");
    expect(await connections()).toBe(before);
  } finally {
    await broker.tool("rabbitmqctl", "set_vm_memory_high_watermark", "0.9");
  }
  await eventually("the events are taken", 30_000, () => sink.publish(batch, 7).catch(() => undefined));
  expect(sink.blocked()).toBeUndefined();
  await sink.check();
  const ids = (await readQueue(exchange)).map(({ id }) => id);
  expect(ids.slice(1)).toEqual(batch.map(({ id }) => id));
  await sink.close();
});

test("rabbitMqSink() uses exchange and queue as an operator made them, and adds its binding", async () => {
  const exchange = newExchange();
  const name = `${exchange}.orders`;
  const client = await new AMQPClient(broker.address, undefined, null).connect();
  const channel = await client.channel();
  await channel.exchangeDeclare(exchange, "topic", { durable: true }, { "alternate-exchange": "amq.fanout" });
  await channel.queueDeclare(name, { durable: true }, { "x-max-length": 7 });
  await channel.queueBind(name, exchange, "stock.*");
  const sink = rabbitMqSink({
    url: broker.address,
    log: silentLog,
    exchange,
    queues: [{ name, types: ["order.placed.v1"] }],
  });
  const batch = [...Array.from({ length: 9 }, () => record()), record({ name: "stock.reserved" })];
  expect((await sink.publish(batch, 1)).every(({ kind }) => kind === "acked")).toBe(true);
  expect((await channel.queueDeclare(name, { passive: true })).messageCount).toBe(7);
  await client.close();
  await sink.close();
});
