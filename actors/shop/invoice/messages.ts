import * as v from "valibot";
import { Address } from "../delivery/messages.ts";
import { Charges } from "../money/messages.ts";
import { OrderLine, orderEvents } from "../order/messages.ts";
import { paymentEvents } from "../payment/messages.ts";

/** What an invoice is issued from: the order as it was paid. `at` is when, RFC 3339; it decides the year of the number. */
export const IssueInvoice = v.object({ ...orderEvents["order.paid.v1"].entries, at: v.string() });
export type IssueInvoice = v.InferOutput<typeof IssueInvoice>;

/** What a credit note is issued from: money that was given back. */
export const IssueCredit = v.object({ ...paymentEvents["payment.refunded.v1"].entries, at: v.string() });
export type IssueCredit = v.InferOutput<typeof IssueCredit>;

/** A credit note: a part of an invoice, or all of it, that was given back. Minor units; times are RFC 3339. */
export const CreditNote = v.object({
  creditNoteId: v.string(),
  /** As in `CN-2026-000001`, without gaps within the year. */
  number: v.string(),
  amount: v.number(),
  /** The part of it that is tax. */
  tax: v.number(),
  issuedAt: v.string(),
});
export type CreditNote = v.InferOutput<typeof CreditNote>;

/** What `GET /invoices/:orderId` shows. Minor units; times are RFC 3339. */
export const InvoiceView = v.object({
  invoiceId: v.string(),
  /** As in `2026-000001`, without gaps within the year. Absent in invoices of before. */
  number: v.optional(v.string()),
  orderId: v.string(),
  customerId: v.string(),
  lines: v.array(OrderLine),
  charges: v.optional(Charges),
  total: v.number(),
  currency: v.string(),
  address: v.optional(v.nullable(Address)),
  issuedAt: v.string(),
  creditNotes: v.optional(v.array(CreditNote)),
});
export type InvoiceView = v.InferOutput<typeof InvoiceView>;

const Fact = { invoiceId: v.string(), orderId: v.string(), customerId: v.string() };

/** Events of an invoice actor, by wire name: its journal. An order has one invoice, and a credit note per refund. */
export const invoiceEvents = {
  "invoice.issued.v1": v.object({
    ...Fact,
    total: v.number(),
    currency: v.string(),
    number: v.optional(v.string()),
    lines: v.optional(v.array(OrderLine)),
    charges: v.optional(Charges),
    address: v.optional(v.nullable(Address)),
  }),
  "invoice.credited.v1": v.object({
    ...Fact,
    creditNoteId: v.string(),
    number: v.string(),
    amount: v.number(),
    tax: v.number(),
    currency: v.string(),
  }),
  /** Money went back before the invoice was there: the credit note follows the invoice. */
  "invoice.credit-requested.v1": v.object({
    orderId: v.string(),
    creditNoteId: v.string(),
    amount: v.number(),
    currency: v.string(),
  }),
};
