import { expect, setDefaultTimeout, test } from "bun:test";
import { createDelivery } from "#actors/shop/delivery/delivery.ts";
import { Order } from "#actors/shop/order/order.ts";
import { Payment } from "#actors/shop/payment/payment.ts";
import { sandboxProvider } from "#actors/shop/payment/sandbox.ts";
import { Stock } from "#actors/shop/stock/stock.ts";
import { createTroupe, memory, RefusedError, TroupeError } from "#runtime";
import { toApplicationFailure } from "../actor-calls.ts";
import { fulfilOrderActivities } from "./activities.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

const orderId = "ord_1";
const lines = [{ sku: "TEA-1", quantity: 4 }];

async function house() {
  const troupe = await createTroupe({
    actors: [Order, Stock, Payment, createDelivery({ step: "1h" })],
    stores: { default: memory() },
  });
  const stock = troupe.ref(Stock, "TEA-1");
  await stock.putProduct({ name: "Tea", price: 450, currency: "EUR" });
  await stock.refill({ quantity: 10 });
  await troupe.ref(Order, orderId).place({ customerId: "cus_1", lines, paymentToken: "tok_ok" });
  const activities = fulfilOrderActivities({ troupe, provider: sandboxProvider });
  return { troupe, stock, activities, [Symbol.asyncDispose]: () => troupe.stop() };
}

test("Activities of fulfilOrder act once however often they are retried", async () => {
  await using h = await house();
  for (let attempt = 1; attempt <= 3; attempt++) {
    await h.activities.reserveStock(orderId, lines);
    await h.activities.confirmStock(orderId, lines);
  }
  expect(await h.stock.level()).toMatchObject({ onHand: 6, reserved: 0 });
  for (let attempt = 1; attempt <= 3; attempt++) await h.activities.restockStock(orderId, lines, true);
  expect(await h.stock.level()).toMatchObject({ onHand: 10, reserved: 0 });
});

test("restockStock settles a confirmation whose outcome nobody knows: the shelf is full again in each case", async () => {
  for (const before of ["confirmed", "held", "expired", "never reserved"]) {
    await using h = await house();
    if (before !== "never reserved") await h.activities.reserveStock(orderId, lines);
    if (before === "confirmed") await h.activities.confirmStock(orderId, lines);
    if (before === "expired") await h.stock.expire({ orderId });
    await h.activities.restockStock(orderId, lines, false);
    expect({ before, level: await h.stock.level() }).toMatchObject({ before, level: { onHand: 10, reserved: 0 } });
  }
});

test("releaseStock before its reserve keeps a reserve that is still under way from holding anything", async () => {
  await using h = await house();
  await h.activities.releaseStock(orderId, lines);
  await expect(h.activities.reserveStock(orderId, lines)).rejects.toMatchObject({
    type: "reservation_released",
    nonRetryable: true,
  });
  expect(await h.stock.level()).toMatchObject({ reserved: 0 });
});

test("toApplicationFailure() keeps a refusal's reason as its type, and retries what the runtime says may be retried", () => {
  expect(toApplicationFailure(new RefusedError("out_of_stock", { available: 1 }))).toMatchObject({
    type: "out_of_stock",
    nonRetryable: true,
    details: [{ available: 1 }],
  });
  expect(toApplicationFailure(new TroupeError("unavailable", "away"))).toMatchObject({
    type: "unavailable",
    nonRetryable: false,
  });
  expect(toApplicationFailure(new TroupeError("turn_failed", "threw"))).toMatchObject({
    type: "turn_failed",
    nonRetryable: true,
  });
  const other = new Error("network");
  expect(toApplicationFailure(other)).toBe(other);
});
