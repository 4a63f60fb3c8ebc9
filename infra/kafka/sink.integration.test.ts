import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { Admin } from "@platformatic/kafka";
import { type OutboxRecord, silentLog, type Sink } from "#runtime";
import { type Delivered, sinkConformance } from "#runtime/testing";
import { eventually } from "../testing/eventually.ts";
import { OwnBroker } from "../testing/own-broker.ts";
import { readTopics } from "./read-topics.fixture.ts";
import { kafkaSink } from "./sink.ts";
import { eventTopic } from "./topics.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

let broker: OwnBroker;
beforeAll(async () => {
  broker = await OwnBroker.start("kafka");
}, 300_000);
afterAll(() => broker[Symbol.asyncDispose]());

sinkConformance("kafkaSink()", test, async () => {
  const topicPrefix = `test-${crypto.randomUUID().slice(0, 8)}.`;
  const sink = kafkaSink({ brokers: broker.address, log: silentLog, topicPrefix, partitions: 3 });
  const others: Sink[] = [];
  return {
    sink,
    expected: (record) => ({ place: eventTopic(record.name, topicPrefix), key: record.actor.key }),
    readAll: (): Promise<Delivered[]> => readTopics(broker.address, topicPrefix),
    dropsRepeats: false,
    tooLargeBytes: 2 * 1024 * 1024,
    never: {
      "an event over its topic's max.message.bytes": async () => {
        await makeTopic(eventTopic("small.made.v1", topicPrefix), "max.message.bytes", "2000");
        return { spoil: (one) => ({ ...one, name: "small.made.v1", body: JSON.stringify("x".repeat(5_000)) }) };
      },
      "an event that is too old for its topic": async () => {
        await makeTopic(eventTopic("fresh.made.v1", topicPrefix), "message.timestamp.before.max.ms", "3600000");
        return { spoil: (one) => ({ ...one, name: "fresh.made.v1", at: Date.now() - 86_400_000 }) };
      },
      "an event whose topic has a name that Kafka does not take": async () => {
        const prefix = `${topicPrefix}${"p".repeat(60)}.`;
        const other = kafkaSink({ brokers: broker.address, log: silentLog, topicPrefix: prefix, partitions: 1 });
        others.push(other);
        return { sink: other, spoil: (one) => ({ ...one, name: `${"n".repeat(190)}.made.v1` }) };
      },
    },
    kill: () => broker.kill(),
    restart: () => broker.start(),
    [Symbol.asyncDispose]: async () => {
      for (const one of [sink, ...others]) await one.close();
    },
  };
});

async function makeTopic(topic: string, name: string, value: string): Promise<void> {
  const admin = new Admin({ clientId: "troupe-test", bootstrapBrokers: [broker.address] });
  await admin.createTopics({ topics: [topic], partitions: 1, replicas: 1, configs: [{ name, value }] });
  await admin.close();
}

function record(id = crypto.randomUUID()): OutboxRecord {
  return {
    partition: 0,
    seq: 1,
    kind: "event",
    id: `evt_${id}`,
    name: "order.placed.v1",
    actor: { type: "order", key: "ord_1" },
    target: "ord_1",
    body: "{}",
    at: 0,
    traceparent: undefined,
  };
}

test("kafkaSink() makes topics with the partitions it was told, and anew when they were deleted under it", async () => {
  const topicPrefix = `test-${crypto.randomUUID().slice(0, 8)}.`;
  const topic = eventTopic("order.placed.v1", topicPrefix);
  const sink = kafkaSink({ brokers: broker.address, log: silentLog, topicPrefix, partitions: 4 });
  const admin = new Admin({ clientId: "troupe-test", bootstrapBrokers: [broker.address] });
  await sink.publish([record()], 1);
  expect((await admin.metadata({ topics: [topic] })).topics.get(topic)?.partitionsCount).toBe(4);

  await admin.deleteTopics({ topics: [topic] });
  const again = record();
  await eventually("the topic takes events again", 60_000, () =>
    sink.publish([again], 2).then(
      () => true,
      () => false,
    ),
  );
  expect((await readTopics(broker.address, topicPrefix)).map(({ id }) => id)).toContain(again.id);
  await admin.close();
  await sink.close();
}, 120_000);

test("kafkaSink() rejects within its deadline when the broker hangs, and goes on when it does", async () => {
  const topicPrefix = `test-${crypto.randomUUID().slice(0, 8)}.`;
  const sink = kafkaSink({ brokers: broker.address, log: silentLog, topicPrefix, deadlineMs: 1_000 });
  await eventually("the first event is taken", 30_000, () => sink.publish([record()], 1).catch(() => undefined));
  const held = record();
  await broker.hang();
  try {
    await expect(sink.publish([held], 1)).rejects.toThrow("did not answer within 1000 ms");
    await expect(sink.check()).rejects.toThrow("Cannot reach Kafka");
  } finally {
    broker.resume();
  }
  await eventually("the event is taken", 30_000, () => sink.publish([held], 2).catch(() => undefined));
  await sink.check();
  expect((await readTopics(broker.address, topicPrefix)).map(({ id }) => id)).toContain(held.id);
  await sink.close();
}, 120_000);
