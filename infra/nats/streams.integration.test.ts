import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { type JetStreamManager, jetstreamManager } from "@nats-io/jetstream";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { type OutboxRecord, silentLog } from "#runtime";
import { eventually } from "../testing/eventually.ts";
import { OwnBroker } from "../testing/own-broker.ts";
import { connectNats, type NatsLink } from "./connection.ts";
import { natsSink } from "./sink.ts";
import { natsSource } from "./source.ts";
import { ensureEventStream } from "./streams.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

let broker: OwnBroker;
let client: NatsConnection;
let manager: JetStreamManager;
let connection: NatsLink;
beforeAll(async () => {
  broker = await OwnBroker.start("nats");
  client = await connect({ servers: broker.address });
  manager = await jetstreamManager(client);
  connection = connectNats({ url: broker.address, log: silentLog });
  await connection.ready(10_000);
}, 120_000);
afterAll(async () => {
  await connection.close();
  await client.close();
  await broker[Symbol.asyncDispose]();
});

function names(): { stream: string; subjectPrefix: string } {
  const id = crypto.randomUUID().slice(0, 8);
  return { stream: `EVENTS-${id}`, subjectPrefix: `evt-${id}` };
}

function records(count: number): OutboxRecord[] {
  return Array.from({ length: count }, (_, i) => {
    const key = `ord_${i % 3}`;
    return {
      partition: 0,
      seq: i,
      kind: "event",
      id: `evt_${crypto.randomUUID()}`,
      name: "order.placed.v1",
      actor: { type: "order", key },
      target: key,
      body: "{}",
      at: 0,
      traceparent: undefined,
    };
  });
}

test("ensureEventStream() makes a stream on disk that takes batches, and may be called by several at once", async () => {
  const options = { ...names(), maxAgeMs: 3_600_000, maxBytes: 1_000_000 };
  const made = await Promise.all([ensureEventStream(manager, options), ensureEventStream(manager, options)]);
  expect(made).toEqual([{ atomic: true }, { atomic: true }]);
  const { config } = await manager.streams.info(options.stream);
  expect(config).toMatchObject({
    subjects: [`${options.subjectPrefix}.>`],
    storage: "file",
    allow_atomic: true,
    duplicate_window: 120e9,
    max_age: 3_600e9,
    max_bytes: 1_000_000,
  });
});

test("ensureEventStream() lets an existing stream take batches and keeps what it was not told", async () => {
  const { stream, subjectPrefix } = names();
  await manager.streams.add({ name: stream, subjects: [`${subjectPrefix}.>`], max_msgs: 77, max_age: 600e9 });
  expect(await ensureEventStream(manager, { stream, subjectPrefix })).toEqual({ atomic: true });
  const { config } = await manager.streams.info(stream);
  expect(config).toMatchObject({ allow_atomic: true, max_msgs: 77, max_age: 600e9 });
});

test("natsSink() makes a stream anew that was deleted under it", async () => {
  const options = names();
  const sink = natsSink({ connection, log: silentLog, ...options });
  await sink.publish(records(1), 1);
  await manager.streams.delete(options.stream);
  for (const count of [1, 100]) {
    const batch = records(count);
    await sink.publish(batch, 1).catch(() => sink.publish(batch, 2));
  }
  expect((await manager.streams.info(options.stream)).state.messages).toBe(101);
});

test("natsSink() publishes one by one where the stream's own limit refuses a message", async () => {
  const options = names();
  await manager.streams.add({ name: options.stream, subjects: [`${options.subjectPrefix}.>`], max_msg_size: 4_096 });
  const sink = natsSink({ connection, log: silentLog, ...options });
  const batch = records(100).map((record, i) =>
    i === 50 ? { ...record, body: JSON.stringify("x".repeat(8_000)) } : record,
  );
  const results = await sink.publish(batch, 1);
  expect(results.map(({ kind }) => kind === "refused")).toEqual(batch.map((_, i) => i === 50));
  expect((await manager.streams.info(options.stream)).state.messages).toBe(99);
});

test("natsSink() rejects within its deadline when the broker hangs, and nothing is stored twice when it goes on", async () => {
  const options = names();
  const sink = natsSink({ connection, log: silentLog, deadlineMs: 300, ...options });
  const batch = records(60);
  await sink.publish(batch.slice(0, 1), 1);
  await broker.hang();
  expect(sink.publish(batch, 1)).rejects.toThrow("did not answer within 300 ms");
  await sink.publish(batch, 2).catch(() => undefined);
  broker.resume();
  for (let attempt = 3; ; attempt++) {
    const done = await sink.publish(batch, attempt).then(
      () => true,
      () => false,
    );
    if (done) break;
    expect(attempt).toBeLessThan(50);
  }
  expect((await manager.streams.info(options.stream)).state.messages).toBe(60);
});

test("ensureEventStream() takes away nothing that an operator has set, and adds what is missing", async () => {
  const { stream, subjectPrefix } = names();
  const theirs = {
    subjects: [`${subjectPrefix}.order.>`, `audit-${subjectPrefix}.>`],
    ...{ duplicate_window: 600e9, max_age: 3_600e9, max_bytes: 50_000_000, max_msgs_per_subject: 5_000 },
    ...{ description: "theirs", metadata: { team: "audit" } },
  };
  await manager.streams.add({ name: stream, ...theirs });
  const options = { stream, subjectPrefix, maxAgeMs: 60_000, maxBytes: 1_000, dedupeWindowMs: 30_000 };
  await ensureEventStream(manager, options);
  const { config } = await manager.streams.info(stream);
  expect(config).toMatchObject({
    ...theirs,
    metadata: expect.objectContaining(theirs.metadata),
    subjects: [`audit-${subjectPrefix}.>`, `${subjectPrefix}.>`],
    allow_atomic: true,
  });
  await ensureEventStream(manager, { ...options, maxAgeMs: 7_200_000, dedupeWindowMs: 900_000 });
  expect((await manager.streams.info(stream)).config).toMatchObject({ max_age: 7_200e9, duplicate_window: 900e9 });
});

test("natsSource() keeps what an operator has set for its consumer, and adds what is missing", async () => {
  const { stream, subjectPrefix } = names();
  await ensureEventStream(manager, { stream, subjectPrefix });
  await manager.consumers.add(stream, {
    durable_name: "invoice",
    ack_policy: "explicit",
    filter_subjects: [`${subjectPrefix}.stock.>`, `${subjectPrefix}.order.paid.v1`],
    ...{ ack_wait: 90e9, max_ack_pending: 500, max_deliver: 7, description: "theirs" },
  });
  const types = ["order.placed.v1", "stock.reserved.v1"];
  const source = natsSource({ connection, log: silentLog, stream, subjectPrefix });
  const received: string[] = [];
  const handle = async ({ body }: { body: string }) => {
    received.push(body);
    return "taken" as const;
  };
  const consumer = source.start({ consumer: "invoice", types, maxInFlight: 10, handle });
  await eventually("the consumer is there", 10_000, async () => (await consumer.lag().catch(() => -1)) === 0);
  const { config } = await manager.consumers.info(stream, "invoice");
  expect(config).toMatchObject({ ack_wait: 90e9, max_ack_pending: 500, max_deliver: -1, description: "theirs" });
  expect(config.filter_subjects?.toSorted()).toEqual([
    `${subjectPrefix}.order.paid.v1`,
    `${subjectPrefix}.order.placed.v1`,
    `${subjectPrefix}.stock.>`,
  ]);
  await client.request(`${subjectPrefix}.order.placed.v1`, "{}");
  await eventually("an event comes", 10_000, async () => received.length === 1);
  await consumer.stop(1_000);
});
