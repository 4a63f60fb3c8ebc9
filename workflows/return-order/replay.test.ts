import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { Worker } from "@temporalio/worker";
import { silentLog } from "#runtime";
import { historiesIn } from "../histories.ts";
import { installRuntime } from "../worker-runtime.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

test("returnOrder replays every saved history: open returns survive a change of its code", async () => {
  installRuntime(silentLog);
  const saved = await historiesIn(join(import.meta.dirname, "histories"));
  expect(saved.map(({ name }) => name)).toEqual(["returned"]);
  const histories = saved.map(({ name, history }) => ({ workflowId: name, history }));
  for await (const { workflowId, error } of Worker.runReplayHistories(
    { workflowsPath: join(import.meta.dirname, "workflow.ts") },
    histories,
  ))
    expect([workflowId, error]).toEqual([workflowId, undefined]);
});
