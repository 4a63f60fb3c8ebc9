import { expect, setDefaultTimeout, test } from "bun:test";
import { serviceReport } from "../chaos/services/report.ts";
import { serviceRun } from "../chaos/services/run.ts";

// Its engines are its own, and have to start first.
setDefaultTimeout(300_000);

test("a service under load converges, never runs more than it may and fails no request, while updates fail, a replica and an app process are killed and an engine is cut off", async () => {
  const verdict = await serviceRun({
    seed: 1,
    faults: ["bad-image", "canary-abort", "hand-made", "app-killed", "events-cut"],
    rate: 60,
    replicas: 3,
  });
  if (verdict.violations.length > 0) throw new Error(serviceReport(verdict));
  expect(verdict.rows).toHaveLength(5);
  expect(verdict.requests.ok).toBeGreaterThan(500);
});
