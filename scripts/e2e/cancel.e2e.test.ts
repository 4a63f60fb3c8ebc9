import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { eventually } from "#infra/testing/eventually.ts";
import type { AppProcess } from "./app-process.ts";
import { type Harness, openHarness } from "./harness.ts";
import { level, place, stockUp, untilOrder } from "./shop.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

let harness: Harness;
let app: AppProcess;

beforeAll(async () => {
  harness = await openHarness({ environment: { DELIVERY_STEP: "60s" } });
  app = await harness.start().ready();
}, 180_000);
afterAll(() => harness?.[Symbol.asyncDispose](), 60_000);

test("an order cancelled while shipping waits ends cancelled, with stock and money back", async () => {
  await stockUp(app, "TEA-1", 4);
  const id = await place(app, "TEA-1", 4);
  await eventually(
    "the delivery is scheduled",
    60_000,
    async () => (await app.get(`/deliveries/${id}`)).status === 200,
  );
  const cancel = (): ReturnType<AppProcess["post"]> =>
    app.post(`/orders/${id}/cancel`, undefined, { "idempotency-key": "cancel-1" });
  const first = await cancel();
  expect(first.status).toBe(202);
  const order = await untilOrder(app, id, "cancelled");
  expect(order.payment?.status).toMatch(/^(refunded|voided)$/);
  expect(order.delivery?.status).toBe("recalled");
  await eventually("the stock is back", 10_000, async () => (await level(app, "TEA-1")).available === 4);
  const again = await cancel();
  expect([again.status, again.body]).toEqual([first.status, first.body]);
});

test("an order that does not exist cannot be cancelled", async () => {
  const answer = await app.post("/orders/ord_nobody/cancel");
  expect([answer.status, (answer.body as { code: string }).code]).toEqual([404, "order.not_found"]);
});

test("an order that is over cannot be cancelled", async () => {
  const id = await place(app, "NOBODY-HAS-THIS", 1);
  await untilOrder(app, id, "rejected");
  const answer = await app.post(`/orders/${id}/cancel`);
  expect([answer.status, (answer.body as { code: string }).code]).toEqual([409, "order.already_final"]);
});
