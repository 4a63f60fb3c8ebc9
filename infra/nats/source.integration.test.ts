import { afterAll, beforeAll, setDefaultTimeout, test } from "bun:test";
import { headers as rawHeaders } from "@nats-io/transport-node";
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
    async publishRaw({ body, headers }) {
      // As it goes over the wire: a client of another make need not know of values that are missing.
      const lines = Object.entries(headers).map(
        ([name, value]) => `${name}:${value === undefined ? "" : ` ${value}`}\r\n`,
      );
      const bytes = new TextEncoder().encode(`NATS/1.0\r\n${lines.join("")}\r\n`);
      const raw = Object.assign(rawHeaders(), { encode: () => bytes });
      const options = lines.length === 0 ? {} : { headers: raw };
      await connection.use("publish", 5_000, (client) =>
        client.request(`${place.subjectPrefix}.order.placed.v1`, body, { timeout: 5_000, ...options }),
      );
    },
    ackWaitMs: ACK_WAIT_MS,
    kill: () => broker.kill(),
    restart: () => broker.start(),
    [Symbol.asyncDispose]: async () => {
      await sink.close();
      await connection.close();
    },
  };
});
