import { afterAll, beforeAll, setDefaultTimeout, test } from "bun:test";
import { Producer } from "@platformatic/kafka";
import { type Handled, type OutboxRecord, silentLog, type Sink } from "#runtime";
import { type RawMessage, sourceConformance } from "#runtime/testing";
import { eventually } from "../testing/eventually.ts";
import { OwnBroker } from "../testing/own-broker.ts";
import { kafkaSink } from "./sink.ts";
import { kafkaSource } from "./source.ts";
import { eventTopic } from "./topics.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

let broker: OwnBroker;
beforeAll(async () => {
  broker = await OwnBroker.start("kafka");
}, 300_000);
afterAll(() => broker[Symbol.asyncDispose]());

sourceConformance("kafkaSource()", test, async () => {
  const place = { brokers: broker.address, topicPrefix: `test-${crypto.randomUUID().slice(0, 8)}.`, partitions: 3 };
  const sink = kafkaSink({ log: silentLog, ...place });
  return {
    source: () => kafkaSource({ log: silentLog, ...place }),
    sink,
    publishRaw: (message) => publishRaw(eventTopic("order.placed.v1", place.topicPrefix), message),
    ackWaitMs: 1_000,
    kill: () => broker.kill(),
    restart: () => broker.start(),
    [Symbol.asyncDispose]: () => sink.close(),
  };
});

/** What any client of Kafka may write; the message's key is left out, as many do. */
async function publishRaw(topic: string, { body, headers }: RawMessage): Promise<void> {
  const producer = new Producer({ clientId: "troupe-test", bootstrapBrokers: [broker.address] });
  const bytes = (text: string | undefined): Buffer => (text === undefined ? (null as never) : Buffer.from(text));
  try {
    await producer.send({
      messages: [
        {
          topic,
          value: body === undefined ? (null as never) : Buffer.from(body),
          headers: new Map(Object.entries(headers).map(([name, value]) => [Buffer.from(name), bytes(value)])),
        },
      ],
    });
  } finally {
    await producer.close(true);
  }
}

function placed(seq: number, target: string): OutboxRecord {
  return {
    ...{ partition: 0, seq, kind: "event", id: `evt_${seq}`, name: "order.placed.v1" },
    ...{ actor: { type: "order", key: target }, target, body: "{}", at: 0, traceparent: undefined },
  };
}

test("kafkaSource() brings an event that was not taken again, though those behind it in its partition were", async () => {
  const place = { brokers: broker.address, topicPrefix: `test-${crypto.randomUUID().slice(0, 8)}.`, partitions: 1 };
  await using sink = Object.assign(kafkaSink({ log: silentLog, ...place }), {
    async [Symbol.asyncDispose](this: Sink) {
      await this.close();
    },
  });
  const consume = (received: string[], handle: (id: string) => Handled) =>
    kafkaSource({ log: silentLog, ...place }).start({
      consumer: "invoice",
      types: ["order.placed.v1"],
      maxInFlight: 10,
      handle: async ({ body }) => {
        const { id } = JSON.parse(body) as { id: string };
        received.push(id);
        return handle(id);
      },
    });
  const first: string[] = [];
  const consumer = consume(first, (id) => (id === "evt_1" ? "later" : "taken"));
  await sink.publish([placed(1, "a"), placed(2, "b"), placed(3, "c")], 1);
  await eventually("all have come", 30_000, async () => first.length === 3);
  await consumer.stop(5_000);
  const second: string[] = [];
  const next = consume(second, () => "taken");
  await eventually("the first has come again", 30_000, async () => second.includes("evt_1"));
  await eventually("nothing is left", 30_000, async () => (await next.lag().catch(() => -1)) === 0);
  await next.stop(5_000);
});
