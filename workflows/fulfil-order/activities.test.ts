import { expect, setDefaultTimeout, test } from "bun:test";
import { MockActivityEnvironment } from "@temporalio/testing";
import { Customer } from "#actors/shop/customer/customer.ts";
import { createDelivery } from "#actors/shop/delivery/delivery.ts";
import { Order } from "#actors/shop/order/order.ts";
import { Payment } from "#actors/shop/payment/payment.ts";
import { SandboxPayment, sandboxProvider } from "#actors/shop/sandbox-payment/sandbox-payment.ts";
import { Stock } from "#actors/shop/stock/stock.ts";
import { createTroupe, memory, RefusedError, TroupeError } from "#runtime";
import { toApplicationFailure } from "../actor-calls.ts";
import { shopActivities } from "../shop-activities.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

const orderId = "ord_1";
const lines = [{ sku: "TEA-1", quantity: 4 }];

async function house() {
  const troupe = await createTroupe({
    actors: [Order, Customer, Stock, Payment, SandboxPayment, createDelivery({ step: "1h" })],
    stores: { default: memory() },
  });
  const stock = troupe.ref(Stock, "TEA-1");
  await stock.putProduct({ name: "Tea", price: 450, currency: "EUR" });
  await stock.refill({ quantity: 10 });
  await troupe.ref(Order, orderId).place({ customerId: "cus_1", lines, paymentToken: "tok_ok" });
  const activities = shopActivities({ troupe, provider: sandboxProvider(troupe), acceptPart: async () => undefined });
  const provider = sandboxProvider(troupe);
  const payment = troupe.ref(Payment, orderId);
  return { troupe, stock, payment, provider, activities, [Symbol.asyncDispose]: () => troupe.stop() };
}

test("Activities of fulfilOrder act once however often they are retried", async () => {
  await using h = await house();
  for (let attempt = 1; attempt <= 3; attempt++) {
    expect(await h.activities.holdStock(orderId, lines)).toMatchObject({ kind: "all" });
    if (attempt === 3) for (let times = 0; times < 3; times++) await h.activities.confirmStock(orderId, lines);
  }
  expect(await h.stock.level()).toMatchObject({ onHand: 6, reserved: 0 });
  for (let attempt = 1; attempt <= 3; attempt++) await h.activities.giveBackStock(orderId, lines);
  expect(await h.stock.level()).toMatchObject({ onHand: 10, reserved: 0 });
});

test("a workflow task that runs again asks the customer the same: the first time stands, and nothing is refused", async () => {
  await using h = await house();
  const part = [{ sku: "TEA-1", wanted: 4, held: 1 }];
  await h.activities.askDecision(orderId, part, 30_000);
  const first = (await h.troupe.ref(Order, orderId).get())?.decision;
  // The clock has gone on, as it has for a task that runs again.
  for (const now = Date.now(); Date.now() === now;) await new Promise((resolve) => setImmediate(resolve));
  await h.activities.askDecision(orderId, part, 30_000);
  expect((await h.troupe.ref(Order, orderId).get())?.decision).toEqual(first);
  expect(Date.parse(first?.until ?? "") - Date.now()).toBeGreaterThan(20_000);
});

test("giveBackStock needs not know what became of the hold: the shelf is full again in each case", async () => {
  for (const before of ["confirmed", "held", "expired", "never reserved"]) {
    await using h = await house();
    if (before !== "never reserved") await h.activities.holdStock(orderId, lines);
    if (before === "confirmed") await h.activities.confirmStock(orderId, lines);
    if (before === "expired") await h.stock.expire({ orderId });
    await h.activities.giveBackStock(orderId, lines);
    expect({ before, level: await h.stock.level() }).toMatchObject({ before, level: { onHand: 10, reserved: 0 } });
  }
});

test("giveBackStock gives nothing back while the order has come further than what is to be undone, and says how far", async () => {
  await using h = await house();
  await h.activities.holdStock(orderId, lines);
  expect(await h.activities.giveBackStock(orderId, lines, ["placed"])).toBe("reserved");
  expect(await h.stock.level()).toMatchObject({ reserved: 4 });
  expect(await h.activities.giveBackStock(orderId, lines, ["placed", "reserved"])).toBeUndefined();
  expect(await h.stock.level()).toMatchObject({ onHand: 10, reserved: 0 });
});

test("giveBackStock before its hold keeps one that is still under way from holding anything", async () => {
  await using h = await house();
  await h.activities.giveBackStock(orderId, lines);
  await expect(h.activities.holdStock(orderId, lines)).rejects.toMatchObject({
    type: "reservation_released",
    nonRetryable: true,
  });
  expect(await h.stock.level()).toMatchObject({ reserved: 0 });
});

test("holdStock of an order that has ended holds nothing: a task that runs again would keep it for ever, or ship it twice", async () => {
  await using h = await house();
  await h.activities.holdStock(orderId, lines);
  await h.activities.confirmStock(orderId, lines);
  await h.activities.markShipped(orderId);
  await h.activities.settleStock(orderId, lines);
  await h.activities.markDelivered(orderId);
  expect(await h.activities.holdStock(orderId, lines)).toMatchObject({ kind: "all", order: { status: "delivered" } });
  expect(await h.stock.level()).toMatchObject({ onHand: 6, reserved: 0 });
});

test("a task that runs again may turn the order down for another reason: the first one stands, and holdStock tells it", async () => {
  await using h = await house();
  await h.activities.holdStock(orderId, lines);
  await h.activities.giveBackStock(orderId, lines);
  // It was giving up when its worker was lost: the next step is to say why again.
  expect(await h.activities.holdStock(orderId, lines)).toMatchObject({ kind: "all", order: { status: "reserved" } });
  expect(await h.activities.confirmStock(orderId, lines).catch((error: unknown) => error)).toMatchObject({
    type: "reservation_expired",
  });
  await h.activities.rejectOrder(orderId, "payment_declined", true);
  expect(await h.activities.rejectOrder(orderId, "timed_out", true)).toMatchObject({ status: "rejected" });
  expect(await h.activities.holdStock(orderId, lines)).toMatchObject({
    kind: "all",
    order: { status: "rejected", reason: "payment_declined" },
  });
  expect(await h.stock.level()).toMatchObject({ onHand: 10, reserved: 0 });
});

const money = { orderId, amount: 900, currency: "EUR" };

test("refundPayment gives back what the provider has, also where our ledger has not heard of it", async () => {
  for (const step of ["nothing", "authorized", "captured", "captured and recorded"]) {
    await using h = await house();
    if (step !== "nothing") await h.provider.authorize({ ...money, key: orderId, token: "tok_ok", attempt: 1 });
    if (step.startsWith("captured")) await h.provider.capture({ key: orderId, id: "capture", amount: 900 });
    if (step === "captured and recorded") {
      await h.payment.recordAuthorization({ amount: 900, currency: "EUR", authorizationId: `auth_${orderId}` });
      await h.payment.capture({ id: "capture", amount: 900 });
    }
    for (let times = 0; times < 2; times++) await h.activities.refundPayment(orderId);
    const books = await h.provider.find(orderId);
    const ledger = await h.payment.get();
    expect([step, (books?.captured ?? 0) - (books?.refunded ?? 0)]).toEqual([step, 0]);
    expect([step, books?.authorized ?? 0]).toEqual([step, (books?.captured ?? 0) + (books?.voided ?? 0)]);
    expect({ step, ledger }).toMatchObject({
      step,
      ledger: { captured: books?.captured ?? 0, refunded: books?.refunded ?? 0, voided: books?.voided ?? 0 },
    });
  }
});

test("a yes of the provider that comes after the undo is given back, to the last cent", async () => {
  await using h = await house();
  await h.activities.refundPayment(orderId); // the undo, while the provider is still thinking
  const environment = new MockActivityEnvironment({ attempt: 1 });
  const request = { ...money, token: "tok_ok" };
  await expect(environment.run(() => h.activities.authorizePayment(request))).rejects.toMatchObject({
    type: "payment_voided",
  });
  expect(await h.provider.find(orderId)).toMatchObject({ authorized: 900, captured: 0, voided: 900 });
  expect(await h.payment.get()).toMatchObject({ status: "voided", voided: 900 });
});

test("capturePayment that the provider refuses is a declined payment, and lets go of what was set aside", async () => {
  await using h = await house();
  const environment = new MockActivityEnvironment({ attempt: 1 });
  await environment.run(() => h.activities.authorizePayment({ ...money, token: "tok_capture_refused" }));
  await expect(h.activities.capturePayment(orderId)).rejects.toMatchObject({ type: "payment_declined" });
  await h.activities.refundPayment(orderId);
  expect(await h.payment.get()).toMatchObject({ status: "declined", captured: 0, voided: 900 });
  expect(await h.provider.find(orderId)).toMatchObject({ captured: 0, voided: 900 });
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
