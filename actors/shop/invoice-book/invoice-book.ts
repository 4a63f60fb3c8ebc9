/**
 * InvoiceBook: hands out the numbers of one series, as `2026`, or `CN-2026` for credit notes.
 *
 * B1 Numbers have no gaps: the next one is given only in the turn that counts it.
 * B2 What asks again before it confirmed gets the number it has: a turn that was lost after the number was given repeats.
 *    A number that stays unconfirmed is a document that is still to be issued.
 */
import * as v from "valibot";
import { actor } from "#runtime";

/** Names the document a number is for: its id, which never comes twice. */
const Numbered = v.object({ documentId: v.string() });

/** One series of numbers, keyed by its name. */
export const InvoiceBook = actor("invoice-book", {
  key: v.pipe(v.string(), v.regex(/^(CN-)?[0-9]{4}$/, "must be a series, as in 2026 or CN-2026")),
  state: v.object({ last: v.number(), unconfirmed: v.record(v.string(), v.number()) }),
  initial: (): { last: number; unconfirmed: Record<string, number> } => ({ last: 0, unconfirmed: {} }),
  messages: ({ command, query }) => ({
    /** The next number, as in `2026-000001`; the same one for a document that asks again (InvoiceBook.B2). */
    assign: command({ in: Numbered, out: v.object({ number: v.string() }) }, (c, { documentId }) => {
      const number = (c.state.unconfirmed[documentId] ??= ++c.state.last); // InvoiceBook.B1
      return { number: `${c.key}-${String(number).padStart(6, "0")}` };
    }),

    /** The document was issued under its number. */
    confirm: command({ in: Numbered }, (c, { documentId }) => void delete c.state.unconfirmed[documentId]),

    /** How many were given, and which are not on a document yet. */
    count: query({ out: v.object({ last: v.number(), unconfirmed: v.number() }) }, ({ state }) => ({
      last: state.last,
      unconfirmed: Object.keys(state.unconfirmed).length,
    })),
  }),
});
