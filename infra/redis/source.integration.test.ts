import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { type AddressInfo, connect, createServer } from "node:net";
import { createClient } from "redis";
import { type OutboxRecord, silentLog } from "#runtime";
import { type RawMessage, sourceConformance } from "#runtime/testing";
import { eventually } from "../testing/eventually.ts";
import { OwnBroker } from "../testing/own-broker.ts";
import { redisSink } from "./sink.ts";
import { redisSource } from "./source.ts";
import { eventStream } from "./streams.ts";

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
    publishRaw: (message) => publishRaw(eventStream("order.placed.v1", streamPrefix), message),
    ackWaitMs: 500,
    kill: () => broker.kill(),
    restart: () => broker.start(),
    [Symbol.asyncDispose]: () => sink.close(),
  };
});

/** What any client of Redis may write: an entry has a field at least. */
async function publishRaw(stream: string, { body, headers }: RawMessage): Promise<void> {
  const client = createClient({ url: broker.address });
  await client.connect();
  const fields: Record<string, string | Buffer> = { note: "" };
  if (body !== undefined) fields["event"] = Buffer.from(body);
  for (const [name, value] of Object.entries(headers)) fields[name.replace("ce_", "")] = value ?? "";
  await client.xAdd(stream, "*", fields);
  client.destroy();
}

function placed(id: string): OutboxRecord {
  return {
    partition: 0,
    seq: 1,
    kind: "event",
    id,
    name: "order.placed.v1",
    actor: { type: "order", key: "ord_1" },
    target: "ord_1",
    body: "{}",
    at: 0,
    traceparent: undefined,
  };
}

/** A way to the broker whose open connections can be made to hear nothing any more; new ones do. */
function deafableProxy() {
  const { hostname, port } = new URL(broker.address);
  const links = new Set<{ deaf: boolean }>();
  const server = createServer((client) => {
    const link = { deaf: false };
    links.add(link);
    const upstream = connect(Number(port), hostname);
    client.on("data", (data) => void upstream.write(data));
    upstream.on("data", (data) => void (link.deaf || client.write(data)));
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      one.on("error", () => undefined);
      one.on("close", () => other.destroy());
    }
  });
  server.listen(0, "127.0.0.1");
  return {
    url: () => `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    deafen: () => links.forEach((link) => (link.deaf = true)),
    close: () => server.close(),
  };
}

/** A consumer that takes everything, with the ids it was given, and a sink that feeds it. */
function feed(deadlineMs: number, url = broker.address) {
  const place = { url: broker.address, log: silentLog, streamPrefix: newPrefix() };
  const sink = redisSink(place);
  const received = new Set<string>();
  const consumer = redisSource({ ...place, url, blockMs: 200, deadlineMs }).start({
    consumer: "invoice",
    types: ["order.placed.v1"],
    maxInFlight: 10,
    handle: async ({ body }) => {
      received.add((JSON.parse(body) as { id: string }).id);
      return "taken";
    },
  });
  return {
    place,
    async publish(id: string) {
      await eventually(`${id} is published`, 30_000, () => sink.publish([placed(id)], 1).catch(() => undefined));
    },
    received: (id: string) => eventually(`${id} is received`, 30_000, async () => received.has(id)),
    async [Symbol.asyncDispose]() {
      await consumer.stop(1_000);
      await sink.close();
    },
  };
}

test("redisSource() goes on when its group was destroyed under it, and misses nothing", async () => {
  await using f = feed(5_000);
  await f.publish("evt_1");
  await f.received("evt_1");
  const admin = createClient({ url: broker.address });
  await admin.connect();
  expect(await admin.xGroupDestroy(`${f.place.streamPrefix}events:order`, "invoice")).toBe(1);
  admin.destroy();
  await f.publish("evt_2");
  await f.received("evt_2");
});

test("redisSource() replaces a blocking read that stays silent", async () => {
  await using f = feed(500);
  await f.publish("evt_1");
  await f.received("evt_1");
  await broker.hang();
  const since = performance.now();
  await eventually("the read has been given up", 10_000, async () => performance.now() - since > 1_500);
  broker.resume();
  await f.publish("evt_2");
  await f.received("evt_2");
});

test("redisSource() replaces a connection that hears nothing any more, though the server is there", async () => {
  const proxy = deafableProxy();
  await eventually("the proxy listens", 5_000, async () => !proxy.url().endsWith(":0"));
  await using f = feed(500, proxy.url());
  await f.publish("evt_1");
  await f.received("evt_1");
  proxy.deafen();
  await f.publish("evt_2");
  await f.received("evt_2");
  proxy.close();
});

test("redisSource() reads its other streams while one of its keys is none, and that one too once it is", async () => {
  const streamPrefix = newPrefix();
  const place = { url: broker.address, log: silentLog, streamPrefix };
  const bad = `${streamPrefix}events:stock`;
  const admin = createClient({ url: broker.address });
  await admin.connect();
  await admin.set(bad, "x");
  const sink = redisSink(place);
  const received = new Set<string>();
  const consumer = redisSource({ ...place, blockMs: 200 }).start({
    consumer: "invoice",
    types: ["order.placed.v1", "stock.reserved.v1"],
    maxInFlight: 10,
    handle: async ({ body }) => {
      received.add((JSON.parse(body) as { id: string }).id);
      return "taken";
    },
  });
  const arrives = async (id: string, name: string): Promise<void> => {
    await eventually(`${id} is published`, 10_000, async () => {
      const [result] = await sink.publish([{ ...placed(id), name }], 1).catch(() => []);
      return result?.kind === "acked";
    });
    await eventually(`${id} is received`, 10_000, async () => received.has(id));
  };
  await arrives("evt_1", "order.placed.v1");
  await eventually("nothing is left", 10_000, async () => (await consumer.lag().catch(() => -1)) === 0);
  await admin.del(bad);
  await arrives("evt_2", "stock.reserved.v1");
  // It becomes one on the way, under a read that waits.
  await admin.set(bad, "x");
  await arrives("evt_3", "order.placed.v1");
  admin.destroy();
  await consumer.stop(1_000);
  await sink.close();
});
