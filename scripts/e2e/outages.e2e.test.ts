import { expect, setDefaultTimeout, test } from "bun:test";
import { report } from "../chaos/outages/report.ts";
import { outages } from "../chaos/outages/run.ts";

// Its servers are its own, and have to start first.
setDefaultTimeout(300_000);

test("nothing is lost and no key is out of order while brokers, the app and Postgres fail, each once", async () => {
  const verdict = await outages({
    seed: 1,
    faults: ["redis", "nats", "rabbitmq", "after-publish", "postgres-restart"],
    awayMs: 1_000,
    rate: 100,
    keys: 50,
    repeats: 1,
    calmMs: 500,
    // A quorum queue that was made only seconds ago does not outlive the kill of RabbitMQ 3: no subscription there.
    environment: { TROUPE_SUBSCRIPTIONS: "invoice=nats,notification=redis" },
  });
  if (verdict.violations.length > 0) throw new Error(report(verdict));
  expect(verdict.rows.map(({ fault }) => fault)).toEqual([
    "none",
    "redis",
    "nats",
    "rabbitmq",
    "after-publish",
    "postgres-restart",
  ]);
  expect(verdict.deadLetters).toBe(0);
  for (const { acked } of verdict.rows) expect(acked).toBeGreaterThan(0);
});
