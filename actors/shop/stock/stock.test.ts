import { expect, test } from "bun:test";
import { emittedBy, outboxOf, timersOf } from "#infra/testing/outbox.ts";
import { createTroupe, memory, type RefusedError } from "#runtime";
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

test("Stock.reserve() repeated for an order holds its pieces once", async () => {
  await using s = await shelf();
  await s.stock.reserve({ orderId: "ord_1", quantity: 4 });
  expect(await s.stock.reserve({ orderId: "ord_1", quantity: 4 })).toEqual({ held: 4 });
  expect(await s.stock.level()).toMatchObject({ reserved: 4 });
});

test("Stock.reserve() sets a timer that release() and confirm() take away again", async () => {
  await using s = await shelf();
  await s.stock.reserve({ orderId: "ord_1", quantity: 1 });
  await s.stock.reserve({ orderId: "ord_2", quantity: 1 });
  expect([...(await timersOf(s.store))].sort()).toEqual(["expire:ord_1", "expire:ord_2"]);
  await s.stock.release({ orderId: "ord_1" });
  await s.stock.confirm({ orderId: "ord_2" });
  expect(await timersOf(s.store)).toEqual([]);
});

test("Stock.expire() gives an unconfirmed hold back, after which confirm() is refused", async () => {
  await using s = await shelf();
  await s.stock.reserve({ orderId: "ord_1", quantity: 4 });
  await s.stock.expire({ orderId: "ord_1" });
  expect(await s.stock.level()).toMatchObject({ onHand: 10, reserved: 0 });
  expect((await refusal(s.stock.confirm({ orderId: "ord_1" }))).reason).toBe("reservation_expired");
  expect((await outboxOf(s.store)).at(-1)?.data).toMatchObject({ cause: "expired", quantity: 4 });
});

test("Stock.release() that overtakes its reserve keeps the late reserve from leaking pieces", async () => {
  await using s = await shelf();
  await s.stock.release({ orderId: "ord_1" });
  expect((await refusal(s.stock.reserve({ orderId: "ord_1", quantity: 4 }))).reason).toBe("reservation_released");
  expect(await s.stock.level()).toMatchObject({ reserved: 0 });
  await s.stock.expire({ orderId: "ord_1" }); // the mark is gone with its timer: nothing is kept for ever
  expect(await s.stock.reserve({ orderId: "ord_1", quantity: 4 })).toEqual({ held: 4 });
});

test("Stock.confirm() takes the pieces out, and restock() under one id puts them back once", async () => {
  await using s = await shelf();
  await s.stock.reserve({ orderId: "ord_1", quantity: 4 });
  await s.stock.confirm({ orderId: "ord_1" });
  expect(await s.stock.level()).toEqual({ sku: "TEA-1", onHand: 6, reserved: 0, available: 6 });
  const once = { id: "fulfil-order/ord_1/restock/TEA-1" };
  await s.stock.restock({ orderId: "ord_1", quantity: 4 }, once);
  await s.stock.restock({ orderId: "ord_1", quantity: 4 }, once);
  expect(await s.stock.level()).toMatchObject({ onHand: 10, available: 10 });
});

test("Stock keeps nothing of an order that is done with", async () => {
  await using s = await shelf();
  for (const orderId of ["ord_1", "ord_2"]) {
    await s.stock.reserve({ orderId, quantity: 1 });
    await s.stock.confirm({ orderId });
  }
  const [row] = await s.troupe.list(Stock);
  expect(row?.state.holds).toEqual({});
});

test("Stock never promises more than it has when many orders ask at once", async () => {
  await using s = await shelf(5);
  const answers = await Promise.allSettled(
    Array.from({ length: 20 }, (_, i) => s.stock.reserve({ orderId: `ord_${i}`, quantity: 1 })),
  );
  expect(answers.filter(({ status }) => status === "fulfilled")).toHaveLength(5);
  expect(await s.stock.level()).toMatchObject({ reserved: 5, available: 0 });
});
