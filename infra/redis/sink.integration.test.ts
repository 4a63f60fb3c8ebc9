import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { createClient } from "redis";
import { type OutboxRecord, silentLog } from "#runtime";
import { type Delivered, sinkConformance } from "#runtime/testing";
import { eventually } from "../testing/eventually.ts";
import { OwnBroker } from "../testing/own-broker.ts";
import { RedisUnavailableError } from "./errors.ts";
import { redisSink } from "./sink.ts";
import { eventStream } from "./streams.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

let broker: OwnBroker;
beforeAll(async () => {
  broker = await OwnBroker.start("redis");
}, 300_000);
afterAll(() => broker[Symbol.asyncDispose]());

async function readStreams(streamPrefix: string): Promise<Delivered[]> {
  const client = createClient({ url: broker.address });
  await client.connect();
  try {
    const delivered: Delivered[] = [];
    for (const stream of await client.keys(`${streamPrefix}events:*`)) {
      for (const { message } of (await client.xRange(stream, "-", "+")) ?? []) {
        delivered.push({
          id: message["id"] ?? "",
          place: stream,
          key: undefined,
          contentType: message["contenttype"],
          traceparent: message["traceparent"],
          body: message["event"] ?? "",
        });
      }
    }
    return delivered;
  } finally {
    client.destroy();
  }
}

const newPrefix = (): string => `test-${crypto.randomUUID().slice(0, 8)}:`;

sinkConformance("redisSink()", test, async () => {
  const streamPrefix = newPrefix();
  const sink = redisSink({ url: broker.address, log: silentLog, streamPrefix });
  return {
    sink,
    expected: (record) => ({ place: eventStream(record.name, streamPrefix), key: undefined }),
    readAll: () => readStreams(streamPrefix),
    dropsRepeats: false,
    tooLargeBytes: 2 * 1024 * 1024,
    kill: () => broker.kill(),
    restart: () => broker.start(),
    [Symbol.asyncDispose]: () => sink.close(),
  };
});

function record(over: Partial<OutboxRecord> = {}): OutboxRecord {
  return {
    partition: 0,
    seq: 1,
    kind: "event",
    id: `evt_${crypto.randomUUID()}`,
    name: "order.placed.v1",
    actor: { type: "order", key: "ord_1" },
    target: "ord_1",
    body: "{}",
    at: 0,
    traceparent: undefined,
    ...over,
  };
}

test("redisSink() rejects within its deadline when the server hangs, and goes on when it does", async () => {
  const streamPrefix = newPrefix();
  const sink = redisSink({ url: broker.address, log: silentLog, streamPrefix, deadlineMs: 500 });
  await sink.publish([record()], 1);
  const held = record();
  await broker.hang();
  try {
    const failure = await sink.publish([held], 1).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(RedisUnavailableError);
    expect((failure as Error).message).toBe("Cannot publish 1 events: no answer within 500 ms");
  } finally {
    broker.resume();
  }
  await eventually("the event is taken", 30_000, () => sink.publish([held], 2).catch(() => undefined));
  expect((await readStreams(streamPrefix)).map(({ id }) => id)).toContain(held.id);
  await sink.close();
});

test("redisSink() writes nothing of a batch that Redis has no memory for, and all of it once it has", async () => {
  const streamPrefix = newPrefix();
  const sink = redisSink({ url: broker.address, log: silentLog, streamPrefix });
  const admin = createClient({ url: broker.address });
  await admin.connect();
  const batch = [record({ seq: 1 }), record({ seq: 2 })];
  await admin.configSet("maxmemory", "1");
  try {
    const failure = await sink.publish(batch, 1).catch((error: unknown) => error);
    expect((failure as Error).message).toMatch(/OOM|EXECABORT/);
  } finally {
    await admin.configSet("maxmemory", "0");
  }
  expect(await readStreams(streamPrefix)).toEqual([]);
  await sink.publish(batch, 2);
  expect((await readStreams(streamPrefix)).map(({ id }) => id)).toEqual(batch.map(({ id }) => id));
  admin.destroy();
  await sink.close();
});

test("redisSink() forgets entries older than its retention", async () => {
  const streamPrefix = newPrefix();
  const admin = createClient({ url: broker.address });
  await admin.connect();
  const stream = eventStream("order.placed.v1", streamPrefix);
  // Approximate trimming works by whole nodes of a stream: enough entries that some are.
  for (let i = 1; i <= 500; i++) await admin.xAdd(stream, `${i}-0`, { id: `old_${i}` });
  const sink = redisSink({ url: broker.address, log: silentLog, streamPrefix, retentionMs: 60_000 });
  const kept = record();
  await sink.publish([kept], 1);
  const left = await readStreams(streamPrefix);
  expect(left.length).toBeLessThan(200);
  expect(left.at(-1)?.id).toBe(kept.id);
  admin.destroy();
  await sink.close();
});
