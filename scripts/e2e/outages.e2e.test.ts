import { expect, setDefaultTimeout, test } from "bun:test";
import { report } from "../chaos/outages/report.ts";
import { outages } from "../chaos/outages/run.ts";

// Its servers are its own, and have to start first.
setDefaultTimeout(300_000);

test("nothing is lost and no key is out of order while brokers, the app and Postgres fail, each once", async () => {
  const verdict = await outages({
    seed: 1,
    faults: ["nats", "redis", "after-publish", "postgres-restart"],
    awayMs: 500,
    rate: 100,
    keys: 50,
    repeats: 1,
    calmMs: 500,
  });
  if (verdict.violations.length > 0) throw new Error(report(verdict));
  expect(verdict.rows.map(({ fault }) => fault)).toEqual([
    "none",
    "nats",
    "redis",
    "after-publish",
    "postgres-restart",
  ]);
  expect(verdict.deadLetters).toBe(0);
  for (const { acked } of verdict.rows) expect(acked).toBeGreaterThan(0);
});
