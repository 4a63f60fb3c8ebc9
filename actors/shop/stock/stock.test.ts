import { expect, test } from "bun:test";
import * as v from "valibot";
import { emittedBy, outboxOf, timersOf } from "#infra/testing/outbox.ts";
import { actor, createTroupe, memory, type RefusedError } from "#runtime";
import { Stock } from "./stock.ts";

async function shelf(quantity = 10) {
  const store = memory();
  const troupe = await createTroupe({ actors: [Stock], stores: { default: store } });
  const stock = troupe.ref(Stock, "TEA-1");
  await stock.putProduct({ name: "Tea", price: 450, currency: "EUR" });
  if (quantity > 0) await stock.refill({ quantity });
  return { store, troupe, stock, [Symbol.asyncDispose]: () => troupe.stop() };
}

/** The reason and data of a refusal; fails when the call goes through. */
async function refusal(call: Promise<unknown>): Promise<{ reason: string; data: unknown }> {
  const { reason, data } = await call.then(
    () => Promise.reject(new Error("The call went through")),
    (error: RefusedError) => error,
  );
  return { reason, data };
}

test("Stock.reserve() holds pieces, which are no longer available but still on hand", async () => {
  await using s = await shelf();
  expect(await s.stock.reserve({ orderId: "ord_1", quantity: 4 })).toEqual({ held: 4 });
  expect(await s.stock.level()).toEqual({ sku: "TEA-1", onHand: 10, reserved: 4, available: 6 });
});

test("Stock.reserve() refuses more than is available, says how much there is, and leaves no trace", async () => {
  await using s = await shelf(3);
  await s.stock.reserve({ orderId: "ord_1", quantity: 2 });
  expect(await refusal(s.stock.reserve({ orderId: "ord_2", quantity: 2 }))).toEqual({
    reason: "out_of_stock",
    data: { sku: "TEA-1", available: 1 },
  });
  expect(await s.stock.level()).toMatchObject({ reserved: 2, available: 1 });
  expect((await emittedBy(s.store)).filter((name) => name === "stock.reserved.v1")).toHaveLength(1);
});

test("Stock.reserve() and refill() of a SKU without a product are refused as unknown_sku", async () => {
  await using s = await shelf();
  const unknown = s.troupe.ref(Stock, "NO-SUCH");
  expect((await refusal(unknown.reserve({ orderId: "ord_1", quantity: 1 }))).reason).toBe("unknown_sku");
  expect((await refusal(unknown.refill({ quantity: 1 }))).reason).toBe("unknown_sku");
  expect(await unknown.level()).toBeNull();
  expect(await unknown.product()).toBeNull();
});

test("every SKU that is let in is kept and told of, also one of hyphens alone", async () => {
  await using s = await shelf(0);
  for (const sku of ["-", "-0", "0", "A-", "9".repeat(32)]) {
    const stock = s.troupe.ref(Stock, sku);
    await stock.putProduct({ name: "Odd", price: 1, currency: "EUR" });
    expect(await stock.refill({ quantity: 1 })).toMatchObject({ sku, onHand: 1 });
  }
});

test("Stock.reserve() repeated for an order holds its pieces once", async () => {
  await using s = await shelf();
  await s.stock.reserve({ orderId: "ord_1", quantity: 4 });
  expect(await s.stock.reserve({ orderId: "ord_1", quantity: 4 })).toEqual({ held: 4 });
  expect(await s.stock.level()).toMatchObject({ reserved: 4 });
});

test("Stock.reserve() with `partial` holds what there is, and asked again, what is missing by then", async () => {
  await using s = await shelf(3);
  const wish = { orderId: "ord_1", quantity: 5, partial: true };
  expect(await s.stock.reserve(wish)).toEqual({ held: 3 });
  expect(await s.stock.reserve({ ...wish, orderId: "ord_2" })).toEqual({ held: 0 });
  await s.stock.refill({ quantity: 10 });
  expect(await s.stock.reserve(wish)).toEqual({ held: 5 });
  expect(await s.stock.level()).toMatchObject({ onHand: 13, reserved: 5, available: 8 });
});

test("Stock.reserve() sets a timer that confirm() takes away again", async () => {
  await using s = await shelf();
  await s.stock.reserve({ orderId: "ord_1", quantity: 1 });
  expect(await timersOf(s.store)).toEqual(["expire:ord_1"]);
  await s.stock.confirm({ orderId: "ord_1" });
  expect(await timersOf(s.store)).toEqual([]);
});

test("Stock.giveBack() of a hold keeps a reserve that comes again from holding pieces nobody will give back", async () => {
  await using s = await shelf();
  await s.stock.reserve({ orderId: "ord_1", quantity: 4 });
  await s.stock.giveBack({ orderId: "ord_1" });
  const again = s.stock.reserve({ orderId: "ord_1", quantity: 4, partial: true });
  expect((await refusal(again)).reason).toBe("reservation_released");
  expect(await s.stock.level()).toMatchObject({ onHand: 10, reserved: 0 });
  await s.stock.expire({ orderId: "ord_1" });
  const [row] = await s.troupe.list(Stock);
  expect(row?.state.holds).toEqual({});
});

test("Stock.expire() gives an unconfirmed hold back, after which confirm() is refused", async () => {
  await using s = await shelf();
  await s.stock.reserve({ orderId: "ord_1", quantity: 4 });
  await s.stock.expire({ orderId: "ord_1" });
  expect(await s.stock.level()).toMatchObject({ onHand: 10, reserved: 0 });
  expect((await refusal(s.stock.confirm({ orderId: "ord_1" }))).reason).toBe("reservation_expired");
  expect((await outboxOf(s.store)).at(-1)?.data).toMatchObject({ cause: "expired", quantity: 4 });
});

test("Stock.giveBack() that overtakes its reserve keeps the late reserve from leaking pieces", async () => {
  await using s = await shelf();
  await s.stock.giveBack({ orderId: "ord_1" });
  expect((await refusal(s.stock.reserve({ orderId: "ord_1", quantity: 4 }))).reason).toBe("reservation_released");
  expect(await s.stock.level()).toMatchObject({ reserved: 0 });
  await s.stock.expire({ orderId: "ord_1" }); // the mark is gone with its timer: nothing is kept for ever
  expect(await s.stock.reserve({ orderId: "ord_1", quantity: 4 })).toEqual({ held: 4 });
});

test("Stock.confirm() and its undo act once by the order alone: nothing is lost when message ids are long forgotten", async () => {
  await using s = await shelf();
  await s.stock.reserve({ orderId: "ord_1", quantity: 4 });
  for (let times = 0; times < 2; times++) expect(await s.stock.confirm({ orderId: "ord_1" })).toEqual({ held: 4 });
  expect(await s.stock.level()).toEqual({ sku: "TEA-1", onHand: 6, reserved: 0, available: 6 });
  for (let times = 0; times < 2; times++) await s.stock.giveBack({ orderId: "ord_1" });
  expect(await s.stock.level()).toEqual({ sku: "TEA-1", onHand: 10, reserved: 0, available: 10 });
});

test("Stock.settle() ends the undo: what the customer has does not come back by it, a return does, once", async () => {
  await using s = await shelf();
  await s.stock.reserve({ orderId: "ord_1", quantity: 4 });
  await s.stock.confirm({ orderId: "ord_1" });
  await s.stock.settle({ orderId: "ord_1" });
  await s.stock.giveBack({ orderId: "ord_1" });
  expect(await s.stock.level()).toMatchObject({ onHand: 6 });
  await s.stock.expire({ orderId: "ord_1" });
  for (let times = 0; times < 2; times++) await s.stock.takeReturn({ orderId: "ord_1", quantity: 4 });
  expect(await s.stock.level()).toMatchObject({ onHand: 10, reserved: 0, available: 10 });
});

test("Stock tells every change of count or price by an event", async () => {
  await using s = await shelf();
  await s.stock.reserve({ orderId: "ord_1", quantity: 1 });
  await s.stock.confirm({ orderId: "ord_1" });
  await s.stock.settle({ orderId: "ord_1" });
  await s.stock.putProduct({ name: "Tea", price: 500, currency: "EUR" });
  await s.stock.putProduct({ name: "Tea", price: 500, currency: "EUR" });
  expect(await emittedBy(s.store)).toEqual([
    "stock.product-changed.v1",
    "stock.refilled.v1",
    "stock.reserved.v1",
    "stock.confirmed.v1",
    "stock.settled.v1",
    "stock.product-changed.v1",
  ]);
});

test("Stock: on hand and shipped are what was refilled, whatever was done", async () => {
  await using s = await shelf();
  for (const orderId of ["ord_1", "ord_2", "ord_3", "ord_4"]) {
    await s.stock.reserve({ orderId, quantity: 2 });
    if (orderId !== "ord_1") await s.stock.confirm({ orderId });
    if (orderId === "ord_2") await s.stock.giveBack({ orderId });
    if (orderId === "ord_4") await s.stock.settle({ orderId });
  }
  expect(await s.stock.books()).toEqual({ onHand: 6, shipped: 4, refilled: 10, held: ["ord_1"] });
});

test("Stock keeps nothing of an order that is done with", async () => {
  await using s = await shelf();
  for (const orderId of ["ord_1", "ord_2"]) {
    await s.stock.reserve({ orderId, quantity: 1 });
    await s.stock.confirm({ orderId });
    await s.stock.settle({ orderId });
  }
  const [row] = await s.troupe.list(Stock);
  expect(row?.state.holds).toEqual({});
});

test("Stock goes on from what was stored before it kept a journal", async () => {
  const store = memory();
  const Before = actor("stock", {
    state: v.record(v.string(), v.unknown()),
    initial: () => ({}),
    messages: ({ command }) => ({
      put: command({ in: v.record(v.string(), v.unknown()) }, (c, state) => void (c.state = state)),
    }),
  });
  const before = await createTroupe({ actors: [Before], stores: { default: store } });
  const holds = { ord_1: { kind: "held", quantity: 3 } };
  const product = { name: "Tea", price: 450, currency: "EUR" };
  await before.ref(Before, "TEA-1").put({ product, onHand: 10, holds });
  await before.stop();
  await using troupe = await createTroupe({ actors: [Stock], stores: { default: store } });
  const stock = troupe.ref(Stock, "TEA-1");
  await stock.confirm({ orderId: "ord_1" });
  expect(await stock.level()).toMatchObject({ onHand: 7, reserved: 0, available: 7 });
  expect(await stock.books()).toMatchObject({ onHand: 7, shipped: 3, refilled: 10 });
});

test("Stock never promises more than it has when many orders ask at once", async () => {
  await using s = await shelf(5);
  const answers = await Promise.allSettled(
    Array.from({ length: 20 }, (_, i) => s.stock.reserve({ orderId: `ord_${i}`, quantity: 1 })),
  );
  expect(answers.filter(({ status }) => status === "fulfilled")).toHaveLength(5);
  expect(await s.stock.level()).toMatchObject({ reserved: 5, available: 0 });
});
