import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DiscardPolicy, jetstream, jetstreamManager, type StreamConfig } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { type OutboxRecord, silentLog, type Sink } from "#runtime";
import { type Delivered, eventRecords, sinkConformance } from "#runtime/testing";
import { ChildServer } from "../testing/child-server.ts";
import { OwnBroker } from "../testing/own-broker.ts";
import { connectNats, type NatsLink } from "./connection.ts";
import { natsSink } from "./sink.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

let broker: OwnBroker;
beforeAll(async () => {
  broker = await OwnBroker.start("nats");
}, 300_000);
/** What tests have opened. */
const links: { close(): Promise<void> }[] = [];
afterAll(async () => {
  for (const link of links) await link.close();
  await broker[Symbol.asyncDispose]();
});

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
    never: {
      "an event over the stream's max_msg_size": async () => ({
        ...(await ownStream({ max_msg_size: 4_096 })),
        spoil: (record) => ({ ...record, body: JSON.stringify("x".repeat(8_000)) }),
      }),
      "an event for a sealed stream": async () => {
        const { sink: other, seal } = await ownStream({});
        await seal();
        return { sink: other, spoil: (record) => record, all: true };
      },
      "an event whose subject its user may not publish to": async () => {
        const other = natsSink({ connection: await guarded(), log: silentLog });
        return { sink: other, spoil: (record) => ({ ...record, name: "order.forbidden.v1" }) };
      },
    },
    kill: () => broker.kill(),
    restart: () => broker.start(),
    [Symbol.asyncDispose]: async () => {
      await sink.close();
      await connection.close();
    },
  };
});

/** A sink for a stream with settings of an operator's. */
async function ownStream(settings: Partial<StreamConfig>): Promise<{ sink: Sink; seal: () => Promise<unknown> }> {
  const id = crypto.randomUUID().slice(0, 8);
  const [stream, subjectPrefix] = [`EVENTS-${id}`, `evt-${id}`];
  const client = await connect({ servers: broker.address });
  links.push(client);
  const { streams } = await jetstreamManager(client);
  await streams.add({ name: stream, subjects: [`${subjectPrefix}.>`], ...settings });
  const connection = connectNats({ url: broker.address, log: silentLog });
  links.push(connection);
  await connection.ready(10_000);
  const seal = (): Promise<unknown> => streams.update(stream, { sealed: true } as Partial<StreamConfig>);
  return { sink: natsSink({ connection, log: silentLog, stream, subjectPrefix }), seal };
}

/** A connection to a server that keeps its user from one kind of event. */
async function guarded(): Promise<NatsLink> {
  let address = "";
  const server = await ChildServer.start(async (folder, port) => {
    const at = `127.0.0.1:${await port()}`;
    address = `nats://u:s3cret@${at}`;
    const permissions = `{ publish: { allow: [">"], deny: ["evt.order.forbidden.>"] }, subscribe: ">" }`;
    await writeFile(
      join(folder, "nats.conf"),
      `listen: "${at}"\njetstream { store_dir: "${folder}/data" }\nauthorization { users = [{ user: u, password: s3cret, permissions: ${permissions} }] }\n`,
    );
    const ready = async (): Promise<void> => (await connect({ servers: at, user: "u", pass: "s3cret" })).close();
    return { command: broker.program, args: ["-c", join(folder, "nats.conf")], ready };
  });
  links.push({ close: () => server[Symbol.asyncDispose]() });
  const connection = connectNats({ url: address, log: silentLog });
  links.push(connection);
  await connection.ready(10_000);
  return connection;
}

test("natsSink() holds the events of a subject that is full, and takes the others", async () => {
  const { sink } = await ownStream({
    max_msgs_per_subject: 1,
    discard: DiscardPolicy.New,
    discard_new_per_subject: true,
  });
  const [first, second, third] = eventRecords(3, { targets: 3, types: ["order.placed.v1", "order.paid.v1"] });
  const batch = [first, second, third] as OutboxRecord[];
  expect((await sink.publish(batch, 1)).map(({ kind }) => kind)).toEqual(["acked", "acked", "held"]);
  await expect(sink.publish(batch.slice(2), 2)).rejects.toThrow("maximum messages per subject exceeded");
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
