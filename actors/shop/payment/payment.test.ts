import { expect, test } from "bun:test";
import * as v from "valibot";
import { emittedBy, outboxOf, timersOf } from "#infra/testing/outbox.ts";
import { actor, createTroupe, memory } from "#runtime";
import { Payment } from "./payment.ts";

const money = { amount: 900, currency: "EUR" };
const authorization = { ...money, authorizationId: "auth_1" };
const all = { id: "all", amount: 900 };

async function till(store = memory()) {
  const troupe = await createTroupe({ actors: [Payment], stores: { default: store } });
  return { store, payment: troupe.ref(Payment, "ord_1"), [Symbol.asyncDispose]: () => troupe.stop() };
}

const eventsOf = async (store: ReturnType<typeof memory>): Promise<readonly string[]> =>
  (await emittedBy(store)).filter((name) => name.startsWith("payment."));

test("Payment goes from authorized to captured to refunded, and each step repeated emits nothing more", async () => {
  await using t = await till();
  for (const status of ["authorized", "authorized"])
    expect(await t.payment.recordAuthorization(authorization)).toMatchObject({ status });
  for (const status of ["captured", "captured"])
    expect(await t.payment.capture(all)).toMatchObject({ status, captured: 900 });
  for (const status of ["refunded", "refunded"])
    expect(await t.payment.refund(all)).toMatchObject({ status, refunded: 900 });
  expect(await eventsOf(t.store)).toEqual(["payment.authorized.v1", "payment.captured.v1", "payment.refunded.v1"]);
});

test("Payment keeps a ledger of parts: captured and refunded in several, never beyond what is there", async () => {
  await using t = await till();
  await t.payment.recordAuthorization(authorization);
  await t.payment.capture({ id: "a", amount: 500 });
  await expect(t.payment.capture({ id: "b", amount: 401 })).rejects.toMatchObject({ reason: "over_captured" });
  await t.payment.capture({ id: "c", amount: 300 });
  expect(await t.payment.refund({ id: "r", amount: 200 })).toMatchObject({ status: "captured", refunded: 200 });
  await expect(t.payment.refund({ id: "s", amount: 601 })).rejects.toMatchObject({ reason: "over_refunded" });
  await t.payment.void();
  const { ledger, ...sums } = (await t.payment.get()) ?? { ledger: [] };
  expect(sums).toMatchObject({ status: "captured", captured: 800, refunded: 200, voided: 100 });
  expect(ledger.map(({ kind, amount }) => [kind, amount])).toEqual([
    ["authorized", 900],
    ["captured", 500],
    ["captured", 300],
    ["refunded", 200],
    ["voided", 100],
  ]);
});

test("Payment.void() closes the ledger of an authorized payment with an event", async () => {
  await using t = await till();
  await t.payment.recordAuthorization(authorization);
  for (let times = 0; times < 2; times++)
    expect(await t.payment.void()).toMatchObject({ orderId: "ord_1", status: "voided", voided: 900 });
  const events = (await outboxOf(t.store)).slice(1);
  expect(events).toMatchObject([{ name: "payment.voided.v1", data: { amount: 900, authorizationId: "auth_1" } }]);
});

test("Payment gives back an authorization that comes after its undo: the ledger is closed, a workflow is started", async () => {
  await using t = await till();
  await t.payment.void();
  for (let times = 0; times < 2; times++)
    expect(await t.payment.recordAuthorization(authorization)).toMatchObject({ status: "voided", voided: 900 });
  const told = await outboxOf(t.store);
  expect(told.map(({ name, target }) => (name.startsWith("payment.") ? name : target))).toEqual([
    "payment.voided.v1",
    "payment.authorized.v1",
    "payment.voided.v1",
    "settle-payment/ord_1",
  ]);
});

test("Payment.void() before any answer has the provider asked again later, as the answer may be lost", async () => {
  await using t = await till();
  await t.payment.void();
  expect(await timersOf(t.store)).toEqual(["settle"]);
  await t.payment.settle();
  expect((await outboxOf(t.store)).at(-1)).toMatchObject({ target: "settle-payment/ord_1" });
});

test("Payment.recordDecline() ends the payment: it can be neither captured nor authorized", async () => {
  await using t = await till();
  const decline = { ...money, declineReason: "card_declined" };
  await t.payment.recordDecline(decline);
  expect(await t.payment.recordDecline(decline)).toMatchObject({ status: "declined" });
  await expect(t.payment.capture(all)).rejects.toMatchObject({ reason: "payment_not_authorized" });
  await expect(t.payment.recordAuthorization(authorization)).rejects.toMatchObject({ reason: "payment_declined" });
  expect(await eventsOf(t.store)).toEqual(["payment.declined.v1"]);
});

test("Payment.recordDecline() of a capture lets go of what was set aside", async () => {
  await using t = await till();
  await t.payment.recordAuthorization(authorization);
  const declined = await t.payment.recordDecline({ ...money, declineReason: "capture_refused" });
  expect(declined).toMatchObject({ status: "declined", voided: 900, captured: 0 });
  expect(await eventsOf(t.store)).toEqual(["payment.authorized.v1", "payment.voided.v1", "payment.declined.v1"]);
});

test("Payment.get() shows null where there is no payment", async () => {
  await using t = await till();
  expect(await t.payment.get()).toBeNull();
});

test("Payment reads what was stored before there was a ledger, and goes on from there", async () => {
  const store = memory();
  const Before = actor("payment", {
    state: v.record(v.string(), v.unknown()),
    initial: () => ({}),
    messages: ({ command }) => ({
      put: command({ in: v.record(v.string(), v.unknown()) }, (c, state) => void (c.state = state)),
    }),
  });
  const before = await createTroupe({ actors: [Before], stores: { default: store } });
  await before.ref(Before, "ord_1").put({ status: "captured", ...authorization });
  await before.stop();
  await using t = await till(store);
  expect(await t.payment.get()).toMatchObject({ status: "captured", captured: 900, refunded: 0 });
  expect(await t.payment.refund(all)).toMatchObject({ status: "refunded", captured: 900, refunded: 900 });
});
