import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { Worker } from "@temporalio/worker";
import { silentLog } from "#runtime";
import { historiesIn } from "../histories.ts";
import { installRuntime } from "../worker-runtime.ts";

// Bundling the workflow takes seconds.
setDefaultTimeout(60_000);

test("deliverWebhook replays every saved history: deliveries that wait for days survive a change of its code", async () => {
  installRuntime(silentLog);
  const saved = await historiesIn(join(import.meta.dirname, "histories"));
  expect(saved.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["disabled", "given-up", "gone", "rate", "retry-after", "third-try"]),
  );
  const histories = saved.map(({ name, history }) => ({ workflowId: name, history }));
  const failed: string[] = [];
  for await (const { workflowId, error } of Worker.runReplayHistories(
    { workflowsPath: join(import.meta.dirname, "workflow.ts") },
    histories,
  )) {
    if (error) failed.push(`${workflowId}: ${error.message}`);
  }
  expect(failed).toEqual([]);
});
