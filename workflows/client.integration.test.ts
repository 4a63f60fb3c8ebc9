import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import type { WorkflowClientError } from "#infra/temporal/client-error.ts";
import { temporalConnection } from "#infra/temporal/connection.ts";
import { newId } from "#runtime";
import { workflowClient, type WorkflowClient } from "./client.ts";
import { testShop, until, type TestShop } from "./fulfil-order/test-shop.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

let shop: TestShop;
let client: WorkflowClient;
beforeAll(async () => {
  shop = await testShop({ step: "1h" });
  client = workflowClient(shop.temporal, { queuePrefix: shop.queuePrefix });
});
afterAll(() => shop[Symbol.asyncDispose]());

/** The input of a saga whose order nobody placed: its first step is refused. */
const strayInput = () => ({
  orderId: newId("ord"),
  lines: [],
  total: 5,
  currency: "EUR",
  paymentToken: "tok_ok",
  address: null,
});

/** Awaited before it is compared: Bun's `rejects` waits in a nested event loop, in which gRPC gets no answers. */
async function codeOf(call: Promise<unknown>): Promise<string> {
  return await call.then(
    () => "no failure",
    (error: WorkflowClientError) => error.code,
  );
}

test("workflowClient shows a running saga, answers its query, and takes a signal", async () => {
  const orderId = await shop.place({ amount: 700 });
  const workflowId = `fulfil-order/${orderId}`;
  await shop.scheduled(orderId);
  await until("the saga to know that it is paid", async () => {
    return ((await client.query(workflowId, "getStatus")) as { status: string }).status === "paid";
  });
  expect(await client.describe(workflowId)).toMatchObject({
    type: "fulfilOrder",
    status: "RUNNING",
    result: null,
    failure: null,
    pendingActivities: [],
  });
  await client.signal(workflowId, "cancelOrder");
  await shop.ended(orderId);
  expect(await client.describe(workflowId)).toMatchObject({
    status: "COMPLETED",
    result: { orderId, status: "cancelled" },
  });
  expect(await codeOf(client.signal(workflowId, "cancelOrder"))).toBe("workflow_not_found");
});

test("workflowClient.start() starts once per business id: the same input finds the run, another is a conflict", async () => {
  const input = strayInput();
  const run = await client.start({ type: "fulfilOrder", input });
  expect(run.workflowId).toBe(`fulfil-order/${input.orderId}`);
  expect(await client.start({ type: "fulfilOrder", input })).toEqual(run);
  expect(await codeOf(client.start({ type: "fulfilOrder", input: { ...input, total: 6 } }))).toBe("workflow_conflict");
  expect(await codeOf(client.start({ type: "noSuchWorkflow", input }))).toBe("workflow_invalid");
});

test("workflowClient.describe() tells why a run failed", async () => {
  const { workflowId } = await client.start({ type: "fulfilOrder", input: strayInput() });
  await until("the run to fail", async () => (await client.describe(workflowId)).status === "FAILED");
  expect((await client.describe(workflowId)).failure).toMatchObject({
    message: expect.any(String),
    type: expect.any(String),
  });
});

test("workflowClient.list() filters by type and status, and pages by cursor", async () => {
  const [a, b] = [await shop.place({ amount: 1 }), await shop.place({ amount: 2 })];
  await Promise.all([shop.scheduled(a), shop.scheduled(b)]);
  const running = { type: "fulfilOrder", status: "RUNNING" };
  await until("both runs to be listed", async () => {
    const ids = (await client.list({ ...running, limit: 200 })).items.map(({ workflowId }) => workflowId);
    return ids.includes(`fulfil-order/${a}`) && ids.includes(`fulfil-order/${b}`);
  });
  const first = await client.list({ ...running, limit: 1 });
  const second = await client.list({ ...running, limit: 1, cursor: first.next ?? "" });
  expect(first.items).toHaveLength(1);
  expect(second.items[0]?.workflowId).not.toBe(first.items[0]?.workflowId as string);
  expect(await codeOf(client.list({ status: "NO SUCH", limit: 1 }))).toBe("workflow_invalid");
});

test("workflowClient names what is not there, and what cannot be reached", async () => {
  expect(await codeOf(client.describe("fulfil-order/ord_none"))).toBe("workflow_not_found");
  expect(await codeOf(client.cancel("fulfil-order/ord_none"))).toBe("workflow_not_found");
  const away = temporalConnection({ address: "127.0.0.1:1", deadlineMs: 300 });
  expect(await codeOf(workflowClient(away).describe("fulfil-order/ord_none"))).toBe("temporal_unavailable");
  await away.close();
});
