import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { newId } from "#runtime";
import { workflowClient } from "../client.ts";
import { testShop, type TestShop } from "./test-shop.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

const name = `c${crypto.randomUUID().slice(0, 8)}`;
let blue: TestShop;
let red: TestShop;
beforeAll(async () => {
  blue = await testShop({ prefix: `${name}blue.` });
  red = await testShop({ prefix: `${name}red.` });
});
afterAll(async () => {
  await blue?.[Symbol.asyncDispose]();
  await red?.[Symbol.asyncDispose]();
});

test("two clusters in one namespace fulfil orders of the same id, each its own", async () => {
  const orderId = newId("ord");
  const placed = { customerId: "cus_1", paymentToken: "tok_ok" } as const;
  await blue.order(orderId).place({ ...placed, amount: 100 });
  await red.order(orderId).place({ ...placed, amount: 200 });
  for (const [shop, amount] of [
    [blue, 100],
    [red, 200],
  ] as const) {
    expect((await shop.ended(orderId)).result).toEqual({ orderId, status: "delivered" });
    expect(await shop.payment(orderId).get()).toMatchObject({ status: "captured", amount });
  }
});

test("a cluster lists and shows its own workflows by their ids without the prefix, and no other's", async () => {
  const orderId = newId("ord");
  await blue.order(orderId).place({ customerId: "cus_1", paymentToken: "tok_ok", amount: 100 });
  await blue.ended(orderId);
  const workflowId = `fulfil-order/${orderId}`;
  const [ofBlue, ofRed] = [blue, red].map(({ temporal, queuePrefix }) => workflowClient(temporal, { queuePrefix }));
  if (ofBlue === undefined || ofRed === undefined) throw new Error("There are two clusters");
  expect(await ofBlue.describe(workflowId)).toMatchObject({ workflowId, status: "COMPLETED" });
  for (const id of [workflowId, `${name}blue.${workflowId}`])
    expect(await ofRed.describe(id).catch((error: unknown) => error)).toMatchObject({ code: "workflow_not_found" });
  const deadline = Date.now() + 20_000;
  for (let listed: readonly string[] = []; !listed.includes(workflowId);) {
    if (Date.now() > deadline) throw new Error("The list of blue never showed its run");
    listed = (await ofBlue.list({ limit: 100 })).items.map((run) => run.workflowId);
    expect(listed.every((id) => id.startsWith("fulfil-order/"))).toBe(true);
  }
  expect((await ofRed.list({ limit: 100 })).items.map((run) => run.workflowId)).not.toContain(workflowId);
});
