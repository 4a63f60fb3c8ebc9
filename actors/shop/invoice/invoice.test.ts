import { expect, test } from "bun:test";
import { emittedBy } from "#infra/testing/outbox.ts";
import { createTroupe, memory } from "#runtime";
import { Customer } from "../customer/customer.ts";
import { InvoiceBook } from "../invoice-book/invoice-book.ts";
import { Order } from "../order/order.ts";
import { Stock } from "../stock/stock.ts";
import { Invoice } from "./invoice.ts";

async function office() {
  const store = memory();
  const troupe = await createTroupe({
    actors: [Invoice, InvoiceBook, Order, Stock, Customer],
    stores: { default: memory("other"), invoice: store },
  });
  return { store, troupe, [Symbol.asyncDispose]: () => troupe.stop() };
}

const paid = (orderId: string, at = "2026-03-01T10:00:00.000Z") => ({
  orderId,
  customerId: "cus_1",
  status: "paid" as const,
  total: 1_190,
  currency: "EUR",
  lines: [{ sku: "TEA-1", name: "Tea", quantity: 1, price: 1_190 }],
  charges: { goods: 1_190, shipping: 0, tax: 190, taxRate: 19, country: "DE" },
  address: null,
  at,
});
const refunded = (orderId: string, id: string, amount: number) => ({
  orderId,
  id,
  amount,
  currency: "EUR",
  authorizationId: "auth_1",
  at: "2026-04-01T10:00:00.000Z",
});

test("Invoice is issued once from a paid order, with lines, tax and a number", async () => {
  await using o = await office();
  const invoice = o.troupe.ref(Invoice, "ord_1");
  expect(await invoice.get()).toBeNull();
  for (let times = 0; times < 2; times++) await invoice.issue(paid("ord_1"));
  expect(await invoice.get()).toMatchObject({
    invoiceId: "inv_1",
    number: "2026-000001",
    total: 1_190,
    lines: [{ sku: "TEA-1" }],
    charges: { tax: 190 },
    creditNotes: [],
  });
  expect((await emittedBy(o.store)).filter((name) => name === "invoice.issued.v1")).toHaveLength(1);
  await expect(invoice.issue(paid("ord_2"))).rejects.toMatchObject({ reason: "other_order" });
});

test("the numbers of a year have no gaps, whoever asks at once, and each year begins anew", async () => {
  await using o = await office();
  const orders = Array.from({ length: 30 }, (_, i) => `ord_${i}`);
  await Promise.all(orders.map((id) => o.troupe.ref(Invoice, id).issue(paid(id))));
  await o.troupe.ref(Invoice, "ord_new").issue(paid("ord_new", "2027-01-01T00:00:00.000Z"));
  const numbers = await Promise.all(orders.map(async (id) => (await o.troupe.ref(Invoice, id).get())?.number));
  expect(numbers.toSorted((a = "", b = "") => a.localeCompare(b))).toEqual(
    orders.map((_, i) => `2026-${String(i + 1).padStart(6, "0")}`),
  );
  expect((await o.troupe.ref(Invoice, "ord_new").get())?.number).toBe("2027-000001");
});

test("InvoiceBook gives a document that asks again the number it has, until it is confirmed", async () => {
  await using o = await office();
  const book = o.troupe.ref(InvoiceBook, "2026");
  const first = await book.assign({ documentId: "inv_1" });
  await book.assign({ documentId: "inv_2" });
  expect(await book.assign({ documentId: "inv_1" })).toEqual(first);
  await book.confirm({ documentId: "inv_1" });
  expect(await book.count()).toEqual({ last: 2, unconfirmed: 1 });
});

test("a refund brings one credit note with the tax of its part; parts bring one each", async () => {
  await using o = await office();
  const invoice = o.troupe.ref(Invoice, "ord_1");
  await invoice.issue(paid("ord_1"));
  for (let times = 0; times < 2; times++) await invoice.credit(refunded("ord_1", "first", 595));
  await invoice.credit(refunded("ord_1", "second", 595));
  expect((await invoice.get())?.creditNotes).toMatchObject([
    { number: "CN-2026-000001", amount: 595, tax: 95 },
    { number: "CN-2026-000002", amount: 595, tax: 95 },
  ]);
});

test("a refund that is heard of before the invoice waits for it", async () => {
  await using o = await office();
  const invoice = o.troupe.ref(Invoice, "ord_1");
  for (let times = 0; times < 2; times++) await invoice.credit(refunded("ord_1", "all", 1_190));
  expect(await invoice.get()).toBeNull();
  await invoice.issue(paid("ord_1"));
  expect(await invoice.get()).toMatchObject({ number: "2026-000001", creditNotes: [{ number: "CN-2026-000001" }] });
});
