import { afterAll, beforeAll, test } from "bun:test";

import { silentLog } from "#runtime";
import { type Delivered, sinkConformance } from "#runtime/testing";

import { OwnBroker } from "../testing/own-broker.ts";
import { readTopics } from "./read-topics.fixture.ts";
import { kafkaSink } from "./sink.ts";
import { eventTopic } from "./topics.ts";

let broker: OwnBroker;
beforeAll(async () => {
  broker = await OwnBroker.start("kafka");
}, 300_000);
afterAll(() => broker[Symbol.asyncDispose]());

sinkConformance("kafkaSink()", test, async () => {
  const topicPrefix = `test-${crypto.randomUUID().slice(0, 8)}.`;
  const sink = kafkaSink({ brokers: broker.address, log: silentLog, topicPrefix, partitions: 3 });
  return {
    sink,
    expected: (record) => ({ place: eventTopic(record.name, topicPrefix), key: record.actor.key }),
    readAll: (): Promise<Delivered[]> => readTopics(broker.address, topicPrefix),
    dropsRepeats: false,
    tooLargeBytes: 2 * 1024 * 1024,
    kill: () => broker.kill(),
    restart: () => broker.start(),
    [Symbol.asyncDispose]: () => sink.close(),
  };
});
