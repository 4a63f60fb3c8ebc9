import * as v from "valibot";
import { OrderLine, orderEvents } from "#actors/shop/order/messages.ts";

/** What an invoice is issued from: the order as placed. */
export const IssueInvoice = orderEvents["order.placed.v1"];

/** What `GET /invoices/:orderId` shows. `issuedAt` is RFC 3339. */
export const InvoiceView = v.object({
  invoiceId: v.string(),
  orderId: v.string(),
  customerId: v.string(),
  lines: v.array(OrderLine),
  total: v.number(),
  currency: v.string(),
  issuedAt: v.string(),
});
export type InvoiceView = v.InferOutput<typeof InvoiceView>;

/** Events of an invoice actor, by wire name. Emitted once in the life of an order. */
export const invoiceEvents = {
  "invoice.issued.v1": v.object({
    invoiceId: v.string(),
    orderId: v.string(),
    customerId: v.string(),
    total: v.number(),
    currency: v.string(),
  }),
};
