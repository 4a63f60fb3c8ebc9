/**
 * Invoice: the one invoice of an order with its credit notes, keyed by the order's id.
 *
 * Nobody calls it: it is issued from `order.paid.v1`, and credited from `payment.refunded.v1`, whichever broker these come
 * by. Brokers keep no sequence between the two: a refund that comes first waits here for the invoice.
 *
 * I1 An order has one invoice. The event that comes again finds its stored reply; one that comes after that was
 *    forgotten finds the invoice.
 * I2 A refund has one credit note, known by the refund's id.
 * I3 Numbers come from the book of the year the money moved in (UTC), and have no gaps (see `invoice-book.ts`).
 */
import * as v from "valibot";
import { actor, type CloudEvent, type JournaledTurnContext, subscription } from "#runtime";
import { InvoiceBook } from "../invoice-book/invoice-book.ts";
import { OrderId, orderEvents } from "../order/messages.ts";
import { Order } from "../order/order.ts";
import { paymentEvents } from "../payment/messages.ts";
import { applyInvoiceEvent, InvoiceState } from "./documents.ts";
import { invoiceEvents, InvoiceView, IssueCredit, IssueInvoice } from "./messages.ts";

type Turn = JournaledTurnContext<InvoiceState, typeof invoiceEvents>;
type Waiting = NonNullable<InvoiceState["waiting"]>[number];

/** The invoice of one order. */
export const Invoice = actor("invoice", {
  key: OrderId,
  state: InvoiceState,
  initial: (): InvoiceState => ({ invoice: null }),
  journal: true,
  emits: invoiceEvents,
  apply: applyInvoiceEvent,
  messages: ({ command, query }) => ({
    /** Issues the invoice. Repeated, it changes nothing. Refused with `other_order` where the order is not this one. */
    issue: command({ in: IssueInvoice }, async (c, paid) => {
      c.require(paid.orderId === c.key, "other_order", { orderId: paid.orderId });
      if (c.state.invoice !== null) return; // Invoice.I1
      const { orderId, customerId, total, currency } = paid;
      const invoiceId = `inv_${orderId.slice("ord_".length)}`;
      const { lines, charges, address } = paid.lines === undefined ? await goodsOf(c, orderId) : paid;
      const number = await numberOf(c, yearOf(paid.at), invoiceId);
      c.emit("invoice.issued.v1", {
        invoiceId,
        orderId,
        customerId,
        total,
        currency,
        number,
        lines: [...(lines ?? [])],
        ...(charges === undefined ? {} : { charges }),
        address: address ?? null,
      });
      for (const waiting of [...(c.state.waiting ?? [])]) await credit(c, waiting, paid.at);
    }),

    /** Issues a credit note for money that went back (Invoice.I2); without an invoice it waits for one. */
    credit: command({ in: IssueCredit }, async (c, { orderId, id, amount, currency, at }) => {
      c.require(orderId === c.key, "other_order", { orderId });
      const creditNoteId = `crn_${orderId.slice("ord_".length)}_${id ?? "refund"}`;
      const { invoice, waiting = [] } = c.state;
      if ([...(invoice?.creditNotes ?? []), ...waiting].some((note) => note.creditNoteId === creditNoteId)) return;
      if (invoice === null) c.emit("invoice.credit-requested.v1", { orderId, creditNoteId, amount, currency });
      else await credit(c, { creditNoteId, amount, currency }, at);
    }),

    get: query({ out: v.nullable(InvoiceView) }, (c) => c.state.invoice),
  }),
  subscribe: {
    "order.paid.v1": subscription(orderEvents["order.paid.v1"], {
      from: "order",
      to: ({ data }) => data.orderId,
      send: "issue",
      with: ({ data, time }: CloudEvent<v.InferOutput<(typeof orderEvents)["order.paid.v1"]>>) => ({
        ...data,
        at: time ?? "",
      }),
    }),
    "payment.refunded.v1": subscription(paymentEvents["payment.refunded.v1"], {
      from: "payment",
      to: ({ data }) => data.orderId,
      send: "credit",
      with: ({ data, time }: CloudEvent<v.InferOutput<(typeof paymentEvents)["payment.refunded.v1"]>>) => ({
        ...data,
        at: time ?? "",
      }),
    }),
  },
});

/** What was ordered, where the event of an older version does not say it. */
async function goodsOf(c: Turn, orderId: string): Promise<Pick<IssueInvoice, "lines" | "charges" | "address">> {
  return (await c.ref(Order, orderId).get()) ?? {};
}

async function credit(c: Turn, { creditNoteId, amount, currency }: Waiting, at: string): Promise<void> {
  const { invoice } = c.state;
  if (invoice === null) return;
  const number = await numberOf(c, `CN-${yearOf(at)}`, creditNoteId);
  const { invoiceId, orderId, customerId, charges, total } = invoice;
  const tax = total === 0 ? 0 : Math.round(((charges?.tax ?? 0) * amount) / total);
  c.emit("invoice.credited.v1", { invoiceId, orderId, customerId, creditNoteId, number, amount, tax, currency });
}

/** A number of a series for a document, confirmed with this turn's commit. */
async function numberOf(c: Turn, series: string, documentId: string): Promise<string> {
  const { number } = await c.ref(InvoiceBook, series).assign({ documentId });
  c.send(InvoiceBook, series, "confirm", { documentId });
  return number;
}

function yearOf(at: string): string {
  return new Date(at).toISOString().slice(0, 4);
}
