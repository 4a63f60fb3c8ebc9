import * as v from "valibot";
import type { Apply, DeepReadonly, EventMeta } from "#runtime";
import { LedgerEntry, type paymentEvents, PaymentStatus } from "./messages.ts";

/**
 * What is known about the money of one order. Amounts are sums of the ledger, in minor units.
 *
 * What is optional is absent in payments that were stored before there was a ledger; {@link sumsOf} reads both.
 */
export const PaymentState = v.object({
  status: PaymentStatus,
  amount: v.optional(v.number()),
  currency: v.optional(v.string()),
  authorizationId: v.optional(v.string()),
  declineReason: v.optional(v.string()),
  ledger: v.optional(v.array(LedgerEntry)),
});
export type PaymentState = v.InferOutput<typeof PaymentState>;

/** The sums of a ledger. */
export interface Sums {
  readonly authorized: number;
  readonly captured: number;
  readonly refunded: number;
  readonly voided: number;
  /** Set aside, neither taken nor let go. */
  readonly open: number;
}

/** The sums of a payment; of one without a ledger they follow from its status. */
export function sumsOf({ status, amount = 0, ledger }: DeepReadonly<PaymentState>): Sums {
  const sums = { authorized: 0, captured: 0, refunded: 0, voided: 0 };
  if (ledger === undefined) {
    if (status === "authorized" || status === "captured" || status === "refunded") sums.authorized = amount;
    if (status === "captured" || status === "refunded") sums.captured = amount;
    if (status === "refunded") sums.refunded = amount;
  } else {
    for (const entry of ledger) sums[entry.kind] += entry.amount;
  }
  return { ...sums, open: sums.authorized - sums.captured - sums.voided };
}

/** What each event does to a payment. */
export const applyPaymentEvent: Apply<PaymentState, typeof paymentEvents> = {
  "payment.authorized.v1": (state, { amount, currency, authorizationId }, meta) => {
    Object.assign(state, { status: "authorized", amount, currency, authorizationId });
    enter(state, "authorized", authorizationId, amount, meta);
  },
  "payment.declined.v1": (state, { amount, currency, declineReason }) => {
    Object.assign(state, { status: "declined", amount, currency, declineReason });
  },
  "payment.captured.v1": (state, { amount, id }, meta) => {
    state.status = "captured";
    enter(state, "captured", id ?? "capture", amount, meta);
  },
  "payment.refunded.v1": (state, { amount, id }, meta) => {
    enter(state, "refunded", id ?? "refund", amount, meta);
    const { captured, refunded } = sumsOf(state);
    if (refunded >= captured) state.status = "refunded";
  },
  "payment.voided.v1": (state, { amount }, meta) => {
    if (amount > 0) enter(state, "voided", "void", amount, meta);
    if (sumsOf(state).captured === 0) state.status = "voided";
  },
};

function enter(
  state: PaymentState,
  kind: LedgerEntry["kind"],
  id: string,
  amount: number,
  { at }: Pick<EventMeta, "at">,
): void {
  state.ledger ??= openingEntries(state, kind);
  state.ledger.push({ id, kind, amount, at: new Date(at).toISOString() });
}

/** The entries that a payment without a ledger would have by now; nothing for one that begins. */
function openingEntries(state: PaymentState, next: LedgerEntry["kind"]): LedgerEntry[] {
  if (next === "authorized") return [];
  const { authorized, captured } = sumsOf(next === "captured" ? { ...state, status: "authorized" } : state);
  const opening = [
    { id: state.authorizationId ?? "", kind: "authorized" as const, amount: authorized, at: "" },
    { id: "capture", kind: "captured" as const, amount: captured, at: "" },
  ];
  return opening.filter(({ amount }) => amount > 0);
}
