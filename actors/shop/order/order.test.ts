import { expect, test } from "bun:test";
import * as v from "valibot";
import { Stock } from "#actors/shop/stock/stock.ts";
import { emittedBy, outboxOf } from "#infra/testing/outbox.ts";
import { createTroupe, memory } from "#runtime";
import { PlaceOrder } from "./messages.ts";
import { Order } from "./order.ts";

async function shop() {
  const store = memory();
  const troupe = await createTroupe({ actors: [Order, Stock], stores: { default: memory("stock"), order: store } });
  await troupe.ref(Stock, "TEA-1").putProduct({ name: "Tea", price: 450, currency: "EUR" });
  await troupe.ref(Stock, "USD-1").putProduct({ name: "Dollar tea", price: 500, currency: "USD" });
  return { store, troupe, order: troupe.ref(Order, "ord_1"), [Symbol.asyncDispose]: () => troupe.stop() };
}

const tea = { customerId: "cus_1", lines: [{ sku: "TEA-1", quantity: 2 }] };

test("Order.place() prices its lines from the stock and starts its workflow in the same turn", async () => {
  await using s = await shop();
  expect(await s.order.place(v.parse(PlaceOrder, tea))).toEqual({
    orderId: "ord_1",
    status: "placed",
    total: 900,
    currency: "EUR",
    workflowId: "fulfil-order/ord_1",
  });
  const [placed, start] = await outboxOf(s.store);
  expect(placed).toMatchObject({
    name: "order.placed.v1",
    data: { customerId: "cus_1", total: 900, lines: [{ sku: "TEA-1", price: 450 }] },
  });
  expect(start).toMatchObject({
    name: "start",
    target: "fulfil-order/ord_1",
    data: {
      start: { type: "fulfilOrder", taskQueue: "shop", searchAttributes: { OrderId: "ord_1", OrderStatus: "placed" } },
    },
  });
});

test("Order.place() adds up the lines of one SKU", async () => {
  await using s = await shop();
  await s.order.place(v.parse(PlaceOrder, { ...tea, lines: [...tea.lines, { sku: "TEA-1", quantity: 3 }] }));
  expect((await s.order.get())?.lines).toEqual([{ sku: "TEA-1", name: "Tea", quantity: 5, price: 450 }]);
});

test("Order.place() takes a line of an unknown SKU without a price", async () => {
  await using s = await shop();
  await s.order.place(v.parse(PlaceOrder, { ...tea, lines: [...tea.lines, { sku: "NO-SUCH", quantity: 1 }] }));
  expect(await s.order.get()).toMatchObject({ status: "placed", total: 900, lines: [{ price: 450 }, { price: null }] });
});

test("Order.place() takes an amount alone as one free line of a guest", async () => {
  await using s = await shop();
  expect(await s.order.place(v.parse(PlaceOrder, { amount: 1250 }))).toMatchObject({ total: 1250, currency: "EUR" });
  expect(await s.order.get()).toMatchObject({ customerId: "guest", lines: [{ sku: null, quantity: 1, price: 1250 }] });
});

test("Order.place() refuses lines in two currencies, and a second placing", async () => {
  await using s = await shop();
  const mixed = v.parse(PlaceOrder, { ...tea, lines: [...tea.lines, { sku: "USD-1", quantity: 1 }] });
  await expect(s.order.place(mixed)).rejects.toMatchObject({ reason: "mixed_currencies" });
  await s.order.place(v.parse(PlaceOrder, tea));
  await expect(s.order.place(v.parse(PlaceOrder, tea))).rejects.toMatchObject({ reason: "already_placed" });
});

test("PlaceOrder needs either lines with a customer, or an amount", () => {
  for (const wrong of [
    {},
    { ...tea, amount: 5 },
    { lines: tea.lines },
    { customerId: "cus_1", lines: [] },
    { amount: 0 },
  ]) {
    expect(v.safeParse(PlaceOrder, wrong).success).toBe(false);
  }
});

test("Order emits each status once, whatever is repeated or comes late", async () => {
  await using s = await shop();
  await s.order.place(v.parse(PlaceOrder, tea));
  await s.order.markReserved();
  await s.order.markReserved();
  await s.order.markPaid();
  await s.order.markShipped();
  await s.order.markPaid();
  await s.order.markDelivered();
  expect(await s.order.markShipped()).toEqual({ status: "delivered", cancelRequested: false });
  expect((await emittedBy(s.store)).filter((name) => name !== "start")).toEqual(
    ["placed", "reserved", "paid", "shipped", "delivered"].map((status) => `order.${status}.v1`),
  );
  expect((await s.order.get())?.history.map(({ status }) => status)).toEqual([
    "placed",
    "reserved",
    "paid",
    "shipped",
    "delivered",
  ]);
});

test("Order.cancel() accepted first makes markShipped() refused; repeated, it answers the same", async () => {
  await using s = await shop();
  await s.order.place(v.parse(PlaceOrder, tea));
  await s.order.markPaid();
  const answer = await s.order.cancel();
  expect(answer).toMatchObject({ orderId: "ord_1", cancelRequested: true });
  await expect(s.order.markShipped()).rejects.toMatchObject({ reason: "cancelled" });
  await s.order.markCancelled();
  expect(await s.order.cancel()).toEqual(answer);
  const signals = (await outboxOf(s.store)).filter(({ name }) => name === "signal");
  expect(signals).toMatchObject([{ target: "fulfil-order/ord_1", data: { signal: { name: "cancelOrder" } } }]);
});

test("Order.cancel() is refused once shipped, and neither a cancel nor a rejection takes shipping back", async () => {
  await using s = await shop();
  await s.order.place(v.parse(PlaceOrder, tea));
  await s.order.markShipped();
  await expect(s.order.cancel()).rejects.toMatchObject({ reason: "already_shipped" });
  expect(await s.order.markCancelled()).toMatchObject({ status: "shipped" });
  expect(await s.order.reject({ reason: "timed_out" })).toMatchObject({ status: "shipped" });
});

test("Order.reject() records the reason, and ends an order whose cancel was accepted as cancelled", async () => {
  await using s = await shop();
  await s.order.place(v.parse(PlaceOrder, tea));
  await s.order.reject({ reason: "out_of_stock" });
  expect(await s.order.get()).toMatchObject({ status: "rejected", reason: "out_of_stock" });
  await expect(s.order.cancel()).rejects.toMatchObject({ reason: "already_final" });

  const other = s.troupe.ref(Order, "ord_2");
  await other.place(v.parse(PlaceOrder, tea));
  await other.cancel();
  expect(await other.reject({ reason: "payment_declined" })).toMatchObject({ status: "cancelled" });
});

test("Order answers for an order nobody placed: get() is null, a cancel is unknown_order", async () => {
  await using s = await shop();
  expect(await s.order.get()).toBeNull();
  await expect(s.order.cancel()).rejects.toMatchObject({ reason: "unknown_order" });
});
