import { expect, test } from "bun:test";
import { emittedBy } from "#infra/testing/outbox.ts";
import { createTroupe, memory } from "#runtime";
import { Invoice } from "./invoice.ts";

const placed = {
  orderId: "ord_1",
  customerId: "cus_1",
  status: "placed" as const,
  total: 500,
  currency: "EUR",
  lines: [{ sku: "TEA-1", name: "Tea", quantity: 2, price: 250 }],
  address: null,
};

test("Invoice.issue() issues one invoice per order, also under another message id", async () => {
  const store = memory();
  await using troupe = await createTroupe({ actors: [Invoice], stores: { default: store } });
  const invoice = troupe.ref(Invoice, "ord_1");
  expect(await invoice.get()).toBeNull();
  for (const id of ["evt_1", "evt_1", "evt_2"]) await invoice.issue(placed, { id });
  expect(await invoice.get()).toMatchObject({ invoiceId: "inv_1", orderId: "ord_1", total: 500, currency: "EUR" });
  expect(await emittedBy(store)).toEqual(["invoice.issued.v1"]);
});

test("Invoice.issue() refuses the order of another key", async () => {
  await using troupe = await createTroupe({ actors: [Invoice], stores: { default: memory() } });
  await expect(troupe.ref(Invoice, "ord_2").issue(placed)).rejects.toMatchObject({ reason: "other_order" });
});
