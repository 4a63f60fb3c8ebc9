import { expect, test } from "bun:test";
import { retryAfterMs } from "./activities.ts";

const NOW = Date.UTC(2026, 0, 1);

test.each([
  [undefined, 0],
  ["120", 120_000],
  ["Thu, 01 Jan 2026 00:01:00 GMT", 60_000],
  ["Wed, 31 Dec 2025 00:00:00 GMT", 0],
  ["999999999", 24 * 3_600_000],
  ["soon", 0],
  ["-5", 0],
] as const)("Retry-After %p is %p ms, at most a day", (header, expected) => {
  expect(retryAfterMs(header, NOW)).toBe(expected);
});
