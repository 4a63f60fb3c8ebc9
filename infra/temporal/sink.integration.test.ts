import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { testServer } from "#infra/stack/for-tests.ts";
import { newId, silentLog, type OutboxRecord, type Sink, type WorkflowRequest } from "#runtime";
import { temporalConnection, type Temporal } from "./connection.ts";
import { temporalSink } from "./sink.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

// No worker serves this queue: what is started stays open until it is terminated.
const taskQueue = newId("unserved");
let temporal: Temporal;
let sink: Sink;
const started: string[] = [];

beforeAll(async () => {
  temporal = temporalConnection({ address: await testServer("temporal") });
  sink = temporalSink({ temporal, keywords: ["OrderId", "OrderStatus"], log: silentLog });
});
afterAll(async () => {
  const open = started.map((id) => temporal.client.workflow.getHandle(id).terminate());
  await Promise.allSettled(open);
  await sink.close();
});

function record(name: string, target: string, request: WorkflowRequest, id = newId("wf")): OutboxRecord {
  const actor = { type: "order", key: "ord_1" };
  return {
    partition: 0,
    seq: 1,
    kind: "workflow",
    id,
    name,
    actor,
    target,
    body: JSON.stringify(request),
    at: Date.now(),
    traceparent: undefined,
  };
}

const newWorkflowId = (): string => {
  const id = newId("test");
  started.push(id);
  return id;
};
const start = {
  type: "anyWorkflow",
  taskQueue,
  args: [{ orderId: "ord_1" }],
  searchAttributes: { OrderId: "ord_1" },
  memo: { why: "test" },
};
const acked = [{ kind: "acked" as const }];

async function signalsOf(workflowId: string): Promise<number> {
  const { events } = await temporal.client.workflow.getHandle(workflowId).fetchHistory();
  return (events ?? []).filter((event) => event.workflowExecutionSignaledEventAttributes).length;
}

describe("temporalSink", () => {
  test("starts a workflow with its arguments, memo and search attributes", async () => {
    const id = newWorkflowId();
    expect(await sink.publish([record("start", id, { start })], 1)).toEqual(acked);
    const run = await temporal.client.workflow.getHandle(id).describe();
    expect(run).toMatchObject({
      type: "anyWorkflow",
      taskQueue,
      memo: { why: "test" },
      searchAttributes: { OrderId: ["ord_1"] },
    });
  });

  test("takes a start once: repeated, under another record id, and after the run has ended", async () => {
    const id = newWorkflowId();
    const first = record("start", id, { start });
    expect(await sink.publish([first], 1)).toEqual(acked);
    const { runId } = await temporal.client.workflow.getHandle(id).describe();
    expect(await sink.publish([first], 1)).toEqual(acked);
    expect(await sink.publish([record("start", id, { start })], 1)).toEqual(acked);
    await temporal.client.workflow.getHandle(id).terminate();
    expect(await sink.publish([first], 1)).toEqual(acked);
    expect((await temporal.client.workflow.getHandle(id).describe()).runId).toBe(runId);
  });

  test("delivers a signal that is handed over twice once", async () => {
    const id = newWorkflowId();
    await sink.publish([record("start", id, { start })], 1);
    const signal = record("signal", id, { signal: { name: "cancelOrder", args: [] } });
    await sink.publish([signal], 1);
    await sink.publish([signal], 1);
    expect(await signalsOf(id)).toBe(1);
  });

  test("refuses a signal to a workflow that is not there or was terminated, and says which", async () => {
    const signal: WorkflowRequest = { signal: { name: "cancelOrder", args: [] } };
    const none = newId("none");
    expect(await sink.publish([record("signal", none, signal)], 1)).toEqual([
      { kind: "refused", detail: `There is no run that could take the signal: ${none} is not there` },
    ]);
    const id = newWorkflowId();
    await sink.publish([record("start", id, { start })], 1);
    await temporal.client.workflow.getHandle(id).terminate();
    expect(await sink.publish([record("signal", id, signal)], 1)).toMatchObject([
      { kind: "refused", detail: expect.stringContaining("TERMINATED") },
    ]);
  });

  test("signals with start: the open run gets the signal, and an ended one is started anew", async () => {
    const id = newWorkflowId();
    const request: WorkflowRequest = { start, signal: { name: "wake", args: [] } };
    await sink.publish([record("signalWithStart", id, request)], 1);
    await sink.publish([record("signalWithStart", id, request)], 1);
    expect(await signalsOf(id)).toBe(2);
    const { runId } = await temporal.client.workflow.getHandle(id).describe();
    await temporal.client.workflow.getHandle(id).terminate();
    expect(await sink.publish([record("signalWithStart", id, request)], 1)).toEqual(acked);
    expect((await temporal.client.workflow.getHandle(id).describe()).runId).not.toBe(runId);
  });

  test("refuses what Temporal will never take, and names why", async () => {
    const tooLong = "x".repeat(5_000);
    const [result] = await sink.publish([record("start", tooLong, { start })], 1);
    expect(result).toMatchObject({ kind: "refused", detail: expect.stringMatching(/length|exceeds/i) });
    expect(await sink.publish([record("start", newId("test"), {})], 1)).toMatchObject([{ kind: "refused" }]);
  });

  test("throws while Temporal cannot be reached, so that the relay tries again", async () => {
    const away = temporalConnection({ address: "127.0.0.1:1", deadlineMs: 300 });
    const cut = temporalSink({ temporal: away, log: silentLog });
    const outcomes = await Promise.allSettled([
      cut.publish([record("start", newId("test"), { start })], 1),
      cut.check(),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    await cut.close();
  });
});
