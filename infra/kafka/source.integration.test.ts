import { afterAll, beforeAll, setDefaultTimeout, test } from "bun:test";
import { silentLog } from "#runtime";
import { sourceConformance } from "#runtime/testing";
import { OwnBroker } from "../testing/own-broker.ts";
import { kafkaSink } from "./sink.ts";
import { kafkaSource } from "./source.ts";

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
    ackWaitMs: 1_000,
    kill: () => broker.kill(),
    restart: () => broker.start(),
    [Symbol.asyncDispose]: () => sink.close(),
  };
});
