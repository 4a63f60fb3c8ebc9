import { expect, test } from "bun:test";
import * as v from "valibot";
import { Customer } from "#actors/shop/customer/customer.ts";
import { Stock } from "#actors/shop/stock/stock.ts";
import { emittedBy, outboxOf } from "#infra/testing/outbox.ts";
import { createTroupe, memory } from "#runtime";
import { PlaceOrder } from "./messages.ts";
import { Order } from "./order.ts";

async function shop() {
  const store = memory();
  const troupe = await createTroupe({
    actors: [Order, Customer, Stock],
    stores: { default: memory("stock"), order: store },
  });
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
      start: {
        type: "fulfilOrder",
        taskQueue: "shop",
        args: [{ edition: 3 }],
        searchAttributes: { OrderId: "ord_1", CustomerId: "cus_1" },
      },
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

test("Order.parcelLeft() is shipping, and after an accepted cancel nothing at all", async () => {
  for (const cancels of [false, true]) {
    await using s = await shop();
    await s.order.place(v.parse(PlaceOrder, tea));
    await s.order.markPaid();
    if (cancels) await s.order.cancel();
    for (let times = 0; times < 2; times++) await s.order.parcelLeft();
    expect(await s.order.get()).toMatchObject({ status: cancels ? "paid" : "shipped" });
    const shipped = (await emittedBy(s.store)).filter((name) => name === "order.shipped.v1");
    expect(shipped.length).toBe(cancels ? 0 : 1);
  }
});

test("Order.reject() ends a shipped order whose parcel was called back, and what the parcel says later is old news", async () => {
  await using s = await shop();
  await s.order.place(v.parse(PlaceOrder, tea));
  await s.order.parcelLeft();
  expect(await s.order.reject({ reason: "timed_out", recalled: true })).toMatchObject({ status: "rejected" });
  await s.order.parcelLeft();
  expect(await s.order.get()).toMatchObject({ status: "rejected", reason: "timed_out" });
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

test("PlaceOrder holds the pieces of a SKU to the limit of a line, over all its lines together", () => {
  const lines = Array.from({ length: 2 }, () => ({ sku: "TEA-1", quantity: 600_000 }));
  const result = v.safeParse(PlaceOrder, { customerId: "cus_1", lines });
  expect(result.issues?.[0]?.message).toContain("at most 1000000 pieces of a SKU");
});

test("Order.place() refuses a total that no provider takes, instead of rejecting it later", async () => {
  await using s = await shop();
  const skus = Array.from({ length: 10 }, (_, i) => `DEAR-${i}`);
  for (const sku of skus)
    await s.troupe.ref(Stock, sku).putProduct({ name: sku, price: 1_000_000_000, currency: "EUR" });
  const lines = skus.map((sku) => ({ sku, quantity: 1_000_000 }));
  await expect(s.order.place(v.parse(PlaceOrder, { ...tea, lines }))).rejects.toMatchObject({
    reason: "total_too_large",
    data: { max: 1_000_000_000 },
  });
  expect(await s.order.get()).toBeNull();
});

test("Order.place() adds shipping and says which part of the total is tax, by the country of the address", async () => {
  await using s = await shop();
  const abroad = { ...tea, address: { street: "Rue 1", country: "FR" } };
  expect(await s.order.place(v.parse(PlaceOrder, abroad))).toMatchObject({ total: 900 + 990 });
  expect(await s.order.get()).toMatchObject({
    charges: { goods: 900, shipping: 990, tax: 315, taxRate: 20, country: "FR" },
  });
});

test("Order.place() goes to the customer's address, and within the customer's limits", async () => {
  await using s = await shop();
  await s.troupe.ref(Customer, "cus_1").put({
    address: { street: "Rue 1", country: "FR" },
    limits: { maxOrderTotal: 2_000, currency: "EUR", maxOpenOrders: 1 },
  });
  await s.order.place(v.parse(PlaceOrder, tea));
  expect(await s.order.get()).toMatchObject({ address: { street: "Rue 1" }, charges: { country: "FR" } });
  const other = s.troupe.ref(Order, "ord_2");
  const big = { customerId: "cus_1", lines: [{ sku: "TEA-1", quantity: 5 }] };
  await expect(other.place(v.parse(PlaceOrder, big))).rejects.toMatchObject({ reason: "over_order_limit" });
  const order = { orderId: "ord_1", customerId: "cus_1", status: "placed" as const, total: 900, currency: "EUR" };
  await s.troupe.ref(Customer, "cus_1").noteOrder({ ...order, at: "2026-11-29T08:00:00.000Z" });
  await expect(other.place(v.parse(PlaceOrder, tea))).rejects.toMatchObject({ reason: "too_many_open_orders" });
});

test("an order whose undo was refused shows it, takes no cancel meanwhile, and ends once it is done", async () => {
  await using s = await shop();
  await s.order.place(v.parse(PlaceOrder, tea));
  await s.order.markPaid();
  await s.order.cancel();
  const undoFailures = [{ undo: "refundPayment", reason: "refund_refused" }];
  for (let times = 0; times < 2; times++)
    expect(await s.order.markNeedsAttention(undoFailures)).toMatchObject({ status: "needs_attention" });
  expect(await s.order.get()).toMatchObject({ status: "needs_attention", undoFailures });
  expect(await s.order.markShipped().catch((error: { reason: string }) => error.reason)).toBe("cancelled");
  expect(await s.order.markCancelled()).toMatchObject({ status: "cancelled" });
  expect((await s.order.get())?.undoFailures).toBeUndefined();
  const names = (await emittedBy(s.store)).filter((name) => name === "order.needs-attention.v1");
  expect(names).toHaveLength(1);
});

test("Order.requestReturn() is taken after delivery alone, starts the return's workflow once, and ends `returned`", async () => {
  await using s = await shop();
  await s.order.place(v.parse(PlaceOrder, tea));
  await s.order.markShipped();
  await expect(s.order.requestReturn()).rejects.toMatchObject({ reason: "not_delivered" });
  await s.order.markDelivered();
  const answer = await s.order.requestReturn();
  expect(answer).toMatchObject({ orderId: "ord_1", workflowId: "return-order/ord_1" });
  expect(await s.order.requestReturn()).toEqual(answer);
  await s.order.markReturned({ reason: "customer_return" });
  expect(await s.order.get()).toMatchObject({ status: "returned", reason: "customer_return", returnRequested: true });
  const starts = (await outboxOf(s.store)).filter(({ target }) => target === "return-order/ord_1");
  expect(starts).toHaveLength(1);
});

test("a shipped order ends cancelled where its parcel is lost, and only there", async () => {
  await using s = await shop();
  await s.order.place(v.parse(PlaceOrder, tea));
  await s.order.markShipped();
  expect(await s.order.markCancelled()).toMatchObject({ status: "shipped" });
  expect(await s.order.markLost()).toMatchObject({ status: "cancelled" });
  expect(await s.order.get()).toMatchObject({ reason: "parcel_lost" });
});

test("Order.reduceLines() keeps what is held, with the total and the tax of it", async () => {
  await using s = await shop();
  const lines = [...tea.lines, { sku: "NO-SUCH", quantity: 1 }];
  await s.order.place(v.parse(PlaceOrder, { ...tea, lines }));
  const part = [
    { sku: "TEA-1", wanted: 2, held: 1 },
    { sku: "NO-SUCH", wanted: 1, held: 0 },
  ];
  expect(await s.order.reduceLines(part)).toEqual({ total: 450 });
  expect(await s.order.get()).toMatchObject({
    total: 450,
    lines: [{ sku: "TEA-1", quantity: 1 }],
    charges: { tax: 72 },
  });
});

test("Order.changeAddress() is taken until it is shipped, and within the country it was charged for", async () => {
  await using s = await shop();
  await s.order.place(v.parse(PlaceOrder, tea));
  await s.order.changeAddress({ address: { street: "Side Street 2" } });
  expect(await s.order.get()).toMatchObject({ address: { street: "Side Street 2" } });
  await expect(s.order.changeAddress({ address: { country: "FR" } })).rejects.toMatchObject({
    reason: "other_country",
  });
  await s.order.markShipped();
  await expect(s.order.changeAddress({ address: "Too late 3" })).rejects.toMatchObject({ reason: "already_shipped" });
});
