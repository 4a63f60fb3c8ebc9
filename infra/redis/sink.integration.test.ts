import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { createClient } from "redis";
import { type Log, type OutboxRecord, silentLog, type Sink } from "#runtime";
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
  const others: Sink[] = [];
  return {
    sink,
    expected: (record) => ({ place: eventStream(record.name, streamPrefix), key: undefined }),
    readAll: () => readStreams(streamPrefix),
    dropsRepeats: false,
    tooLargeBytes: 2 * 1024 * 1024,
    never: {
      "an event whose key is no stream": async () => {
        await command("SET", eventStream("text.written.v1", streamPrefix), "x");
        return { spoil: (one) => ({ ...one, name: "text.written.v1" }) };
      },
      "an event whose stream has no ids left": async () => {
        const last = "18446744073709551615-18446744073709551615";
        await command("XADD", eventStream("full.up.v1", streamPrefix), last, "id", "last");
        return { spoil: (one) => ({ ...one, name: "full.up.v1" }) };
      },
      "an event whose key its user may not write": async () => {
        const user = `user-${crypto.randomUUID().slice(0, 8)}`;
        await command("ACL", "SETUSER", user, "on", ">s3cret", `~${streamPrefix}events:order`, "+@all");
        const url = new URL(broker.address);
        url.username = user;
        url.password = "s3cret";
        const other = redisSink({ url: url.href, log: silentLog, streamPrefix });
        others.push(other);
        return { sink: other, spoil: (one) => ({ ...one, name: "forbidden.place.v1" }) };
      },
    },
    kill: () => broker.kill(),
    restart: () => broker.start(),
    [Symbol.asyncDispose]: async () => {
      for (const one of [sink, ...others]) await one.close();
    },
  };
});

async function command(...words: readonly string[]): Promise<unknown> {
  const client = createClient({ url: broker.address });
  await client.connect();
  try {
    return await client.sendCommand([...words]);
  } finally {
    client.destroy();
  }
}

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

test("redisSink() writes the others of a batch once, however often it meets a key that is no stream", async () => {
  const streamPrefix = newPrefix();
  await command("SET", eventStream("text.written.v1", streamPrefix), "x");
  const sink = redisSink({ url: broker.address, log: silentLog, streamPrefix });
  const batch = [record(), record({ name: "text.written.v1" }), record()];
  const results = await sink.publish(batch, 1);
  expect(results.map(({ kind }) => kind)).toEqual(["acked", "refused", "acked"]);
  expect(results[1]).toMatchObject({ detail: expect.stringContaining("WRONGTYPE") });
  await command("DEL", eventStream("text.written.v1", streamPrefix));
  expect((await readStreams(streamPrefix)).map(({ id }) => id)).toEqual([batch[0]?.id ?? "", batch[2]?.id ?? ""]);
  await sink.close();
});

test("redisSink() keeps what a group has not acknowledged, and says what was lost when that is too old as well", async () => {
  const streamPrefix = newPrefix();
  const stream = eventStream("order.placed.v1", streamPrefix);
  const client = createClient({ url: broker.address });
  await client.connect();
  const minutesAgo = (minutes: number): number => Date.now() - minutes * 60_000;
  const add = (minutes: number, count: number, id: string): Promise<unknown> => {
    const at = minutesAgo(minutes);
    return Promise.all(
      Array.from({ length: count }, (_, i) => client.xAdd(stream, `${at + i}-0`, { id: `${id}_${i}` })),
    );
  };
  const publishAnew = async (options: { retentionMs: number; unreadRetentionMs?: number }, log: Log): Promise<void> => {
    const sink = redisSink({ url: broker.address, log, streamPrefix, ...options });
    await sink.publish([record({ id: `evt_${crypto.randomUUID()}` })], 1);
    await sink.close();
  };
  const left = async (): Promise<number> => client.xLen(stream);
  await add(60, 300, "old");
  await client.xGroupCreate(stream, "quick", "0");
  await client.xGroupCreate(stream, "slow", "0");
  await client.xReadGroup("quick", "one", { key: stream, id: ">" }, { NOACK: true });
  // Read, and not acknowledged: the first of them may come again.
  await client.xReadGroup("slow", "one", { key: stream, id: ">" }, { COUNT: 250 });
  await publishAnew({ retentionMs: 1_000 }, silentLog);
  expect(await left()).toBe(301);

  const pending = await client.xPendingRange(stream, "slow", "-", "+", 240);
  await client.xAck(
    stream,
    "slow",
    pending.map(({ id }) => id),
  );
  await publishAnew({ retentionMs: 1_000 }, silentLog);
  expect(await left()).toBeLessThan(200);
  expect(await left()).toBeGreaterThanOrEqual(62);

  const lines: object[] = [];
  const log: Log = (level, event, fields) => void (event === "redis:unread:lost" && lines.push({ level, ...fields }));
  await publishAnew({ retentionMs: 1_000, unreadRetentionMs: 30 * 60_000 }, log);
  expect(lines).toMatchObject([{ level: "error", stream, groups: ["slow"], lost: 60 }]);
  expect(await left()).toBe(3);
  client.destroy();
});
