import { afterAll, beforeAll, setDefaultTimeout, test } from "bun:test";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { silentLog } from "#runtime";
import { type Delivered, sinkConformance } from "#runtime/testing";
import { OwnBroker } from "../testing/own-broker.ts";
import { connectNats } from "./connection.ts";
import { natsSink } from "./sink.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

let broker: OwnBroker;
beforeAll(async () => {
  broker = await OwnBroker.start("nats");
}, 300_000);
afterAll(() => broker[Symbol.asyncDispose]());

sinkConformance("natsSink()", test, async () => {
  const id = crypto.randomUUID().slice(0, 8);
  const stream = `EVENTS-${id}`;
  const subjectPrefix = `evt-${id}`;
  const connection = connectNats({ url: broker.address, log: silentLog });
  await connection.ready(10_000);
  const sink = natsSink({ connection, log: silentLog, stream, subjectPrefix });
  return {
    sink,
    expected: (record) => ({ place: `${subjectPrefix}.${record.name}`, key: undefined }),
    readAll: () => readStream(broker.address, stream),
    dropsRepeats: true,
    tooLargeBytes: 4 * 1024 * 1024,
    kill: () => broker.kill(),
    restart: () => broker.start(),
    [Symbol.asyncDispose]: async () => {
      await sink.close();
      await connection.close();
    },
  };
});

/** All messages of the stream, through a connection and a consumer of its own. */
async function readStream(address: string, stream: string): Promise<Delivered[]> {
  const client = await connect({ servers: address });
  try {
    const { state } = await (await jetstreamManager(client)).streams.info(stream);
    const delivered: Delivered[] = [];
    if (state.messages === 0) return delivered;
    const messages = await (await jetstream(client).consumers.get(stream)).consume();
    for await (const message of messages) {
      const header = (name: string): string | undefined => message.headers?.get(name) || undefined;
      const id = header("Nats-Msg-Id") ?? "";
      if (id !== header("ce_id")) throw new Error(`Nats-Msg-Id ${id} is not ce_id ${header("ce_id")}`);
      delivered.push({
        id,
        place: message.subject,
        key: undefined,
        contentType: header("content-type"),
        traceparent: header("traceparent"),
        body: message.string(),
      });
      if (message.seq >= state.last_seq) break;
    }
    return delivered;
  } finally {
    await client.close();
  }
}
