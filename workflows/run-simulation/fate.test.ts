import { expect, test } from "bun:test";
import { fateOf } from "./fate.ts";
import { addTo, percentile, type Spread } from "./spread.ts";

test("fateOf() gives each number one fate, and the shares are met in any run of numbers", () => {
  const shares = { declineShare: 0.1, cancelShare: 0.05, partialShare: 0.02, lostShare: 0.05 };
  const counts: Record<string, number> = {};
  for (let number = 500; number < 2_500; number++) {
    const fate = fateOf(number, shares);
    counts[fate] = (counts[fate] ?? 0) + 1;
  }
  expect(counts["declined"]).toBeWithin(195, 206);
  expect(counts["cancelled"]).toBeWithin(95, 106);
  expect(counts["partial"]).toBeWithin(36, 45);
  expect(counts["lost"]).toBeWithin(95, 106);
});

test("percentile() is right within its buckets of 10 %", () => {
  const spread: Spread = {};
  expect(percentile(spread, 0.5)).toBe(0);
  for (let ms = 1; ms <= 1_000; ms++) addTo(spread, ms);
  expect(percentile(spread, 0.5)).toBeWithin(480, 560);
  expect(percentile(spread, 0.99)).toBeWithin(960, 1_100);
});
