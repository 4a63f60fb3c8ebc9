import * as v from "valibot";
import type { Apply } from "#runtime";
import { type invoiceEvents, InvoiceView } from "./messages.ts";

/** The documents of one order. */
export const InvoiceState = v.object({
  invoice: v.nullable(InvoiceView),
  /** Credit notes that wait for their invoice. */
  waiting: v.optional(v.array(v.object({ creditNoteId: v.string(), amount: v.number(), currency: v.string() }))),
});
export type InvoiceState = v.InferOutput<typeof InvoiceState>;

/** What each event does to the documents of an order. */
export const applyInvoiceEvent: Apply<InvoiceState, typeof invoiceEvents> = {
  "invoice.issued.v1": (state, { lines = [], ...issued }, { at }) => {
    state.invoice = { ...issued, lines, issuedAt: new Date(at).toISOString(), creditNotes: [] };
  },
  "invoice.credited.v1": (state, { creditNoteId, number, amount, tax }, { at }) => {
    const note = { creditNoteId, number, amount, tax, issuedAt: new Date(at).toISOString() };
    if (state.invoice !== null) state.invoice.creditNotes = [...(state.invoice.creditNotes ?? []), note];
    state.waiting = (state.waiting ?? []).filter((waiting) => waiting.creditNoteId !== creditNoteId);
  },
  "invoice.credit-requested.v1": (state, { creditNoteId, amount, currency }) => {
    state.waiting = [...(state.waiting ?? []), { creditNoteId, amount, currency }];
  },
};
