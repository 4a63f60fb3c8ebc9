/**
 * Invoice: the one invoice of an order, keyed by the order's id.
 *
 * Nobody calls it: it is issued from `order.placed.v1`, whichever broker that comes by.
 *
 * I1 An order has one invoice. The event that comes again finds its stored reply; one that comes after that was
 *    forgotten finds the invoice.
 */
import * as v from "valibot";
import { OrderId } from "#actors/shop/order/messages.ts";
import { actor, subscription } from "#runtime";
import { invoiceEvents, InvoiceView, IssueInvoice } from "./messages.ts";

const State = v.object({ invoice: v.nullable(InvoiceView) });
type State = v.InferOutput<typeof State>;

/** The invoice of one order. */
export const Invoice = actor("invoice", {
  key: OrderId,
  state: State,
  initial: (): State => ({ invoice: null }),
  emits: invoiceEvents,
  messages: ({ command, query }) => ({
    /** Issues the invoice. Repeated, it changes nothing. Refused with `other_order` where the order is not this one. */
    issue: command({ in: IssueInvoice }, (c, { orderId, customerId, lines, total, currency }) => {
      c.require(orderId === c.key, "other_order", { orderId });
      if (c.state.invoice !== null) return; // I1
      const invoiceId = `inv_${orderId.slice("ord_".length)}`;
      const issuedAt = new Date(c.now).toISOString();
      c.state.invoice = { invoiceId, orderId, customerId, lines, total, currency, issuedAt };
      c.emit("invoice.issued.v1", { invoiceId, orderId, customerId, total, currency });
    }),

    get: query({ out: v.nullable(InvoiceView) }, (c) => c.state.invoice),
  }),
  subscribe: {
    "order.placed.v1": subscription(IssueInvoice, { from: "order", to: ({ data }) => data.orderId, send: "issue" }),
  },
});
