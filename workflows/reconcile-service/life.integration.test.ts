import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { Worker } from "@temporalio/worker";
import { DEFAULT_UPDATE } from "#actors/orchestrator/scaler/messages.ts";
import { ensureEchoImage } from "#infra/docker/echo-image.ts";
import { silentLog } from "#runtime";
import { historiesIn, saveHistoryIn } from "../histories.ts";
import { installRuntime } from "../worker-runtime.ts";
import { echo } from "./testing/services.ts";
import { eventually, startTestSystem, type TestSystem } from "./testing/system.ts";

setDefaultTimeout(120_000);

const HISTORIES = join(import.meta.dirname, "histories");
const workflowsPath = join(import.meta.dirname, "workflow.ts");
const FAST = { ...DEFAULT_UPDATE, minReadyMs: 300 };

describe("lives of a service", () => {
  let system: TestSystem;
  beforeAll(async () => {
    system = await startTestSystem();
    await ensureEchoImage(system.engine);
  }, 180_000);
  afterAll(async () => await system?.[Symbol.asyncDispose](), 60_000);

  /** Ends the life, and replays its history; with RECORD_HISTORIES it is kept. */
  async function over(name: string): Promise<void> {
    await system.apply({});
    const handle = system.temporal.client.workflow.getHandle(system.workflowId(name));
    await handle.result();
    const history = await handle.fetchHistory();
    if (process.env["RECORD_HISTORIES"]) await saveHistoryIn(HISTORIES, name, history);
    await Worker.runReplayHistory({ workflowsPath }, history, system.workflowId(name));
    await eventually("nothing is left", async () => (await system.view(name)) === null);
  }

  test("created, updated, removed", async () => {
    await system.apply({ updated: echo(2, {}, { update: FAST }) });
    await system.converged("updated", 2);
    await system.apply({ updated: echo(2, { env: { GREETING: "new" } }, { update: FAST }) });
    await system.converged("updated", 2);
    await over("updated");
  });

  test("an update that is taken back", async () => {
    await system.apply({ "taken-back": echo(1, {}, { update: FAST }) });
    await system.converged("taken-back", 1);
    await system.apply({ "taken-back": echo(1, { command: ["crash"] }, { update: FAST }) });
    await eventually("taken back", async () => {
      const view = await system.view("taken-back");
      return view?.status === "converged" && view.conditions.some(({ type }) => type === "rolled_back");
    });
    await over("taken-back");
  });

  test("scaled to nothing and back, killed and healed", async () => {
    await system.apply({ scaled: echo(1) });
    await system.converged("scaled", 1);
    await system.apply({ scaled: echo(0) });
    await system.converged("scaled", 0);
    await system.apply({ scaled: echo(1) });
    await system.converged("scaled", 1);
    const [one] = await system.engine.list("scaled");
    await system.engine.stop(one!.id, 0);
    await eventually("healed", async () => (await system.engine.inspect(one!.id))?.state === "running");
    await over("scaled");
  });
});

test("reconcileService replays every saved history: running loops survive a change of its code", async () => {
  installRuntime(silentLog);
  const saved = await historiesIn(HISTORIES);
  expect(saved.map(({ name }) => name)).toEqual(expect.arrayContaining(["scaled", "taken-back", "updated"]));
  const failed: string[] = [];
  const histories = saved.map(({ name, history }) => ({ workflowId: name, history }));
  for await (const { workflowId, error } of Worker.runReplayHistories({ workflowsPath }, histories))
    if (error) failed.push(`${workflowId}: ${error.message}`);
  expect(failed).toEqual([]);
});
