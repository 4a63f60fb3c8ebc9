import { afterAll, beforeAll, setDefaultTimeout, test } from "bun:test";
import { silentLog } from "#runtime";
import { sourceConformance } from "#runtime/testing";
import { OwnBroker } from "../testing/own-broker.ts";
import { connectNats } from "./connection.ts";
import { natsSink } from "./sink.ts";
import { natsSource } from "./source.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

const ACK_WAIT_MS = 1_000;

let broker: OwnBroker;
beforeAll(async () => {
  broker = await OwnBroker.start("nats");
}, 300_000);
afterAll(() => broker[Symbol.asyncDispose]());

sourceConformance("natsSource()", test, async () => {
  const id = crypto.randomUUID().slice(0, 8);
  const place = { stream: `EVENTS-${id}`, subjectPrefix: `evt-${id}` };
  const connection = connectNats({ url: broker.address, log: silentLog });
  await connection.ready(10_000);
  const sink = natsSink({ connection, log: silentLog, ...place });
  return {
    source: () => natsSource({ connection, log: silentLog, ackWaitMs: ACK_WAIT_MS, ...place }),
    sink,
    ackWaitMs: ACK_WAIT_MS,
    kill: () => broker.kill(),
    restart: () => broker.start(),
    [Symbol.asyncDispose]: async () => {
      await sink.close();
      await connection.close();
    },
  };
});
