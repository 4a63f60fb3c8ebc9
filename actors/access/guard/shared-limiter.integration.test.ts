import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { createClient } from "redis";
import { RedisBuckets } from "#infra/redis/buckets.ts";
import { eventually } from "#infra/testing/eventually.ts";
import { OwnBroker } from "#infra/testing/own-broker.ts";
import { type Log, silentLog } from "#runtime";
import { SharedLimiter } from "./shared-limiter.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

/** Long enough for a busy machine: these tests ask whether it is counted, not how fast. */
const WAIT_MS = 5_000;
/** So slow that nothing fills while a test runs. */
const LIMIT = { perSecond: 0.001, burst: 20 };

let redis: OwnBroker;
beforeAll(async () => void (redis = await OwnBroker.start("redis")), 300_000);
afterAll(() => redis[Symbol.asyncDispose]());

/** The limiter of one process. */
function processOf(prefix: string, log: Log = silentLog, againMs = 1_000) {
  const buckets = new RedisBuckets({ url: redis.address, log: silentLog, prefix });
  const limiter = new SharedLimiter({ buckets, log, waitMs: WAIT_MS, againMs });
  return {
    take: async (caller: string) => await limiter.take(caller, LIMIT, performance.now()),
    [Symbol.dispose]: () => buckets.close(),
  };
}

const newPrefix = (): string => `test-${crypto.randomUUID().slice(0, 8)}:`;

test("of a hundred requests through two processes at once as many pass as one limit allows", async () => {
  const prefix = newPrefix();
  using one = processOf(prefix);
  using two = processOf(prefix);
  const answers = await Promise.all(Array.from({ length: 100 }, (_, i) => (i % 2 === 0 ? one : two).take("key k")));
  expect(answers.filter(({ allowed }) => allowed).length).toBe(LIMIT.burst);
  expect((await one.take("key other")).left).toBe(LIMIT.burst - 1);
});

test("RedisBuckets.take() fills at its rate, tells when, and leaves nothing of a full bucket", async () => {
  const prefix = newPrefix();
  const buckets = new RedisBuckets({ url: redis.address, log: silentLog, prefix });
  const quick = { perSecond: 1_000, burst: 2 };
  expect(await buckets.take("a", LIMIT)).toEqual({ allowed: true, left: 19, resetMs: 1_000_000 });
  await buckets.take("b", quick);
  await eventually("it is full again", 5_000, async () => (await buckets.take("b", quick)).left === 1);
  const client = createClient({ url: redis.address });
  await client.connect();
  await eventually("it is gone", 5_000, async () => (await client.exists(`${prefix}b`)) === 0);
  expect(await client.exists(`${prefix}a`)).toBe(1);
  client.destroy();
  buckets.close();
});

test("Redis is killed on the way: every request is answered, counted here alone, and together again once it is back", async () => {
  const prefix = newPrefix();
  const said: string[] = [];
  using one = processOf(prefix, (_level, event) => void said.push(event), 50);
  using two = processOf(prefix, silentLog, 50);
  await one.take("key k");
  await redis.kill();
  const alone: boolean[] = [];
  for (let i = 0; i < 40; i++) alone.push((await one.take("key k")).allowed);
  expect(alone.filter(Boolean).length).toBe(LIMIT.burst - 1);
  await eventually("it says so", 30_000, async () => {
    await one.take(`probe ${crypto.randomUUID()}`);
    return said.includes("rates:alone");
  });
  expect(said).toEqual(["rates:alone"]);
  await redis.start();
  await eventually("it counts together again", 30_000, async () => {
    await one.take(`probe ${crypto.randomUUID()}`);
    return said.includes("rates:shared");
  });
  await eventually("so does the other", 30_000, async () => {
    for (let i = 0; i < LIMIT.burst; i++) await two.take("key l");
    return !(await one.take("key l")).allowed;
  });
});
