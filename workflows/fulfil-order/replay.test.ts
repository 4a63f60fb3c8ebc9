import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { Worker } from "@temporalio/worker";
import { silentLog } from "#runtime";
import { installRuntime } from "../worker-runtime.ts";
import { savedHistories } from "./histories.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

test("fulfilOrder replays every saved history: open orders survive a change of its code", async () => {
  installRuntime(silentLog);
  const saved = await savedHistories();
  expect(saved.map(({ name }) => name)).toEqual(
    expect.arrayContaining([
      "first edition: cancelled",
      "first edition: delivered",
      "second edition: cancelled",
      "second edition: delivered",
      "second edition: parcel-lost",
      "second edition: undo-parked",
      "cancelled",
      "delivered",
      "parcel-lost",
      "part-accepted",
      "payment-declined",
      "undo-parked",
    ]),
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
