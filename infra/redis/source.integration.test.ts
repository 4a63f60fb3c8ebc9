import { afterAll, beforeAll, setDefaultTimeout, test } from "bun:test";
import { silentLog } from "#runtime";
import { sourceConformance } from "#runtime/testing";
import { OwnBroker } from "../testing/own-broker.ts";
import { redisSink } from "./sink.ts";
import { redisSource } from "./source.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

let broker: OwnBroker;
beforeAll(async () => {
  broker = await OwnBroker.start("redis");
}, 300_000);
afterAll(() => broker[Symbol.asyncDispose]());

const newPrefix = (): string => `test-${crypto.randomUUID().slice(0, 8)}:`;

sourceConformance("redisSource()", test, async () => {
  const streamPrefix = newPrefix();
  const sink = redisSink({ url: broker.address, log: silentLog, streamPrefix });
  return {
    source: () => redisSource({ url: broker.address, log: silentLog, streamPrefix }),
    sink,
    ackWaitMs: 500,
    kill: () => broker.kill(),
    restart: () => broker.start(),
    [Symbol.asyncDispose]: () => sink.close(),
  };
});
