import { expect, test } from "bun:test";
import type { Log } from "#runtime";
import type { RateLimit, Taken } from "./rate-limiter.ts";
import { type SharedBuckets, SharedLimiter } from "./shared-limiter.ts";

const LIMIT: RateLimit = { perSecond: 1, burst: 3 };

/** A limiter over buckets that answer as they are told, and what it logs. */
function limiterOver(take: SharedBuckets["take"], waitMs = 60_000) {
  const said: string[] = [];
  const log: Log = (level, event) => void said.push(`${level} ${event}`);
  let asked = 0;
  const counted: SharedBuckets = {
    take: (bucket, limit) => {
      asked++;
      return take(bucket, limit);
    },
  };
  const limiter = new SharedLimiter({ buckets: counted, log, waitMs });
  return {
    said,
    asked: () => asked,
    take: async (nowMs: number, caller = "a"): Promise<Taken> => await limiter.take(caller, LIMIT, nowMs),
  };
}

const yes = { allowed: true, left: 9, resetMs: 1_500 };
const away = (): Promise<never> => Promise.reject(new Error("away"));

test("SharedLimiter.take() refuses what the others have taken already", async () => {
  const { take } = limiterOver(async () => ({ allowed: false, left: 0, resetMs: 1_200 }));
  expect(await take(0)).toEqual({ allowed: false, limit: 3, left: 0, resetSeconds: 2 });
});

test("SharedLimiter.take() asks nobody about what is too much already here (H2)", async () => {
  const { take, asked } = limiterOver(async () => yes);
  const answers: boolean[] = [];
  for (let i = 0; i < 10; i++) answers.push((await take(0)).allowed);
  expect([answers.filter(Boolean).length, asked()]).toEqual([3, 3]);
  expect((await take(0, "b")).left).toBe(2);
});

test("SharedLimiter.take() counts alone while there is no answer, says so once, and gets back by itself (H3, H4)", async () => {
  let there = false;
  const { take, asked, said } = limiterOver(() => (there ? Promise.resolve(yes) : away()));
  for (let i = 0; i < 20; i++) await take(0, `caller ${i}`); // a burst that was late
  expect([asked(), said]).toEqual([20, []]);
  for (let i = 0; i < 20; i++) await take(1_000, `caller ${i}`);
  expect([asked(), said]).toEqual([21, ["warn rates:alone"]]);
  for (let i = 0; i < 5; i++) await take(2_000, `caller ${i}`);
  expect(asked()).toBe(22);
  there = true;
  await take(2_999, "c");
  expect(asked()).toBe(22);
  await take(3_000, "c");
  await take(3_000, "d");
  expect([asked(), said]).toEqual([24, ["warn rates:alone", "info rates:shared"]]);
});

test("SharedLimiter.take() still limits each caller while it counts alone", async () => {
  const { take } = limiterOver(away);
  const answers: boolean[] = [];
  for (let i = 0; i < 10; i++) answers.push((await take(0)).allowed);
  expect(answers.filter(Boolean).length).toBe(3);
});

test("SharedLimiter.take() does not wait for buckets that never answer (H1)", async () => {
  const { take, said } = limiterOver(() => new Promise(() => undefined), 1);
  for (let i = 0; i < 4; i++) expect((await take(i * 500, `caller ${i}`)).allowed).toBe(true);
  expect(said).toEqual(["warn rates:alone"]);
});

test("one late answer among good ones is no reason to count alone", async () => {
  let n = 0;
  const { take, said } = limiterOver(() => (n++ % 2 === 0 ? away() : Promise.resolve(yes)));
  for (let i = 0; i < 20; i++) await take(i * 1_000, `caller ${i}`);
  expect([n, said]).toEqual([20, []]);
});
