import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { temporal } from "@temporalio/proto";
import { sealingCodec } from "#infra/temporal/codec.ts";
import { workflowClient } from "../client.ts";
import { testShop, type TestShop } from "./test-shop.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

const ADDRESS = "Canary Street 7f3c91";
const key = (n: number): Uint8Array => new Uint8Array(32).fill(n);

let shop: TestShop;
beforeAll(async () => void (shop = await testShop({ codec: sealingCodec([key(2), key(1)]) })));
afterAll(() => shop?.[Symbol.asyncDispose]());

/** All that Temporal keeps of a run, as the bytes it keeps. */
async function storedOf(workflowId: string): Promise<string> {
  const { workflowService, options } = shop.temporal.client;
  const { GetWorkflowExecutionHistoryResponse, DescribeWorkflowExecutionResponse } = temporal.api.workflowservice.v1;
  const about = { namespace: options.namespace, execution: { workflowId } };
  const history = await workflowService.getWorkflowExecutionHistory(about);
  const description = await workflowService.describeWorkflowExecution(about);
  return [
    GetWorkflowExecutionHistoryResponse.encode(history).finish(),
    DescribeWorkflowExecutionResponse.encode(description).finish(),
  ]
    .map((bytes) => Buffer.from(bytes).toString("utf8"))
    .join();
}

test("with a codec Temporal stores nothing of an order that could be read there, and its saga runs as ever", async () => {
  const tea = await shop.stock(3);
  for (const [paymentToken, status] of [
    ["tok_ok", "delivered"],
    ["tok_declined", "rejected"],
    ["tok_flaky", "delivered"],
  ] as const) {
    const orderId = await shop.place({
      lines: [{ sku: tea.sku, quantity: 1 }],
      address: ADDRESS,
      paymentToken,
    });
    expect((await shop.ended(orderId)).result).toMatchObject({ orderId, status });
    const stored = await storedOf(`fulfil-order/${orderId}`);
    expect(stored).toContain(orderId); // the id of the workflow, and a search attribute, as that of the customer is one
    for (const canary of [ADDRESS, paymentToken, tea.sku]) expect(stored).not.toContain(canary);
  }
});

test("the client of workflows reads what was sealed", async () => {
  const orderId = await shop.place({ amount: 500, address: ADDRESS });
  await shop.ended(orderId);
  const described = await workflowClient(shop.temporal).describe(`fulfil-order/${orderId}`);
  expect(described).toMatchObject({ status: "COMPLETED", result: { orderId, status: "delivered" } });
});
