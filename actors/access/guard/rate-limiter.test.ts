import { expect, test } from "bun:test";
import { RateLimiter } from "./rate-limiter.ts";

const LIMIT = { perSecond: 10, burst: 3 };

test("RateLimiter.take() lets a burst pass, then the rate, and says when one more may come", () => {
  const limiter = new RateLimiter();
  const allowed = (ms: number): boolean => limiter.take("a", LIMIT, ms).allowed;
  expect([allowed(0), allowed(0), allowed(0), allowed(0)]).toEqual([true, true, true, false]);
  expect(allowed(99)).toBe(false);
  expect(allowed(200)).toBe(true);
  expect(limiter.take("slow", { perSecond: 0.1, burst: 1 }, 0)).toMatchObject({ allowed: true, left: 0 });
  expect(limiter.take("slow", { perSecond: 0.1, burst: 1 }, 1_000)).toEqual({
    allowed: false,
    limit: 1,
    left: 0,
    resetSeconds: 9,
  });
});

test("RateLimiter.take() counts callers apart, and follows a limit that changes", () => {
  const limiter = new RateLimiter();
  for (let i = 0; i < 3; i++) limiter.take("a", LIMIT, 0);
  expect(limiter.take("b", LIMIT, 0).left).toBe(2);
  expect(limiter.take("a", { perSecond: 1_000, burst: 50 }, 10).left).toBe(9);
  expect(limiter.take("a", { perSecond: 1, burst: 2 }, 20).left).toBe(1);
});

test("RateLimiter remembers a bounded number of callers, and forgets who was seen least recently", () => {
  const limiter = new RateLimiter(2);
  for (let i = 0; i < 3; i++) limiter.take("a", LIMIT, 0);
  limiter.take("b", LIMIT, 0);
  expect(limiter.take("a", LIMIT, 0).allowed).toBe(false);
  limiter.take("c", LIMIT, 0);
  expect(limiter.size).toBe(2);
  expect(limiter.take("a", LIMIT, 0).allowed).toBe(false);
  limiter.take("b", LIMIT, 0);
  expect(limiter.size).toBe(2);
});
