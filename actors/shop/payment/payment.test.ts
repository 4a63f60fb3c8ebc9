import { expect, test } from "bun:test";
import { emittedBy } from "#infra/testing/outbox.ts";
import { createTroupe, memory } from "#runtime";
import { Payment } from "./payment.ts";
import { sandboxAnswer } from "./sandbox.ts";

const money = { amount: 900, currency: "EUR" };
const authorization = { ...money, authorizationId: "auth_1" };

async function till() {
  const store = memory();
  const troupe = await createTroupe({ actors: [Payment], stores: { default: store } });
  return { store, payment: troupe.ref(Payment, "ord_1"), [Symbol.asyncDispose]: () => troupe.stop() };
}

test("Payment goes from authorized to captured to refunded, and each step repeated emits nothing more", async () => {
  await using t = await till();
  for (const status of ["authorized", "authorized"])
    expect(await t.payment.recordAuthorization(authorization)).toMatchObject({ status });
  for (const status of ["captured", "captured"])
    expect(await t.payment.capture()).toMatchObject({ status, amount: 900 });
  for (const status of ["refunded", "refunded"]) expect(await t.payment.refund()).toMatchObject({ status });
  expect(await emittedBy(t.store)).toEqual(["payment.authorized.v1", "payment.captured.v1", "payment.refunded.v1"]);
});

test("Payment.refund() of an authorized payment lets the money go without a refund", async () => {
  await using t = await till();
  await t.payment.recordAuthorization(authorization);
  expect(await t.payment.refund()).toEqual({ orderId: "ord_1", status: "voided" });
  expect(await emittedBy(t.store)).not.toContain("payment.refunded.v1");
});

test("Payment.refund() before anything happened keeps a late authorization out", async () => {
  await using t = await till();
  await t.payment.refund();
  await expect(t.payment.recordAuthorization(authorization)).rejects.toMatchObject({ reason: "payment_voided" });
});

test("Payment.recordDecline() ends the payment: it can be neither captured nor authorized", async () => {
  await using t = await till();
  await t.payment.recordDecline({ ...money, declineReason: "card_declined" });
  expect(await t.payment.recordDecline({ ...money, declineReason: "card_declined" })).toMatchObject({
    status: "declined",
  });
  await expect(t.payment.capture()).rejects.toMatchObject({ reason: "payment_not_authorized" });
  await expect(t.payment.recordAuthorization(authorization)).rejects.toMatchObject({ reason: "payment_declined" });
  expect(await emittedBy(t.store)).toEqual(["payment.declined.v1"]);
});

test("Payment.void() is refused once the money was taken", async () => {
  await using t = await till();
  await t.payment.recordAuthorization(authorization);
  await t.payment.capture();
  await expect(t.payment.void()).rejects.toMatchObject({ reason: "payment_captured" });
});

test("Payment.get() shows null where there is no payment", async () => {
  await using t = await till();
  expect(await t.payment.get()).toBeNull();
});

test("sandboxAnswer() depends on token and attempt alone", () => {
  expect([1, 2, 3].map((attempt) => sandboxAnswer("tok_flaky", attempt).kind)).toEqual([
    "unreachable",
    "unreachable",
    "authorized",
  ]);
  expect(sandboxAnswer("tok_declined", 1)).toEqual({ kind: "declined", declineReason: "card_declined" });
  expect(sandboxAnswer("tok_slow", 1)).toEqual({ kind: "authorized", delayMs: 5_000 });
  expect(sandboxAnswer("tok_ok", 1)).toEqual({ kind: "authorized", delayMs: 0 });
});
