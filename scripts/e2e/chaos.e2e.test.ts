import { expect, setDefaultTimeout, test } from "bun:test";
import { chaos } from "../chaos/run.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(180_000);

test("twenty seconds of kills, pauses and restarts lose nothing, double nothing and keep the sum", async () => {
  const { violations, faults, raises, moves } = await chaos({ seed: 7, forMs: 20_000 });
  expect(violations).toEqual([]);
  expect(faults.kill + faults.pause + faults.stop).toBeGreaterThan(2);
  expect(Math.min(raises, moves)).toBeGreaterThan(100);
});
