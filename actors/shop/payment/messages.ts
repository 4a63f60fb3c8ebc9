import * as v from "valibot";
import { Currency, Price } from "../money/messages.ts";

/** What the customer pays with. The sandbox knows `tok_ok`, `tok_declined`, `tok_flaky`, `tok_slow` and those of its README. */
export const PaymentToken = v.pipe(v.string(), v.regex(/^tok_[a-z0-9_]{1,60}$/, "must look like tok_ok"));

const Money = { amount: Price, currency: Currency };
/** Names one capture or refund of a payment: the same name again is the same money. */
const PartId = v.pipe(v.string(), v.minLength(1), v.maxLength(100));

/** The provider said yes: the money is set aside under its `authorizationId`. */
export const RecordAuthorization = v.object({ ...Money, authorizationId: v.string() });
export type RecordAuthorization = v.InferOutput<typeof RecordAuthorization>;
/** The provider said no. */
export const RecordDecline = v.object({ ...Money, declineReason: v.string() });
/** The provider moved a part of the money. */
export const RecordPart = v.object({ id: PartId, amount: v.pipe(Price, v.minValue(1)) });

/** Where a payment stands. `captured` also where a part of it was refunded. */
export const PaymentStatus = v.picklist(["none", "authorized", "captured", "refunded", "declined", "voided"]);
export type PaymentStatus = v.InferOutput<typeof PaymentStatus>;

/** One entry of the ledger. `at` is RFC 3339; `amount` in minor units. */
export const LedgerEntry = v.object({
  id: v.string(),
  kind: v.picklist(["authorized", "captured", "refunded", "voided"]),
  amount: v.number(),
  at: v.string(),
});
export type LedgerEntry = v.InferOutput<typeof LedgerEntry>;

/** What `GET /payments/:orderId` shows. The amounts are the sums of the ledger. */
export const PaymentView = v.object({
  orderId: v.string(),
  status: PaymentStatus,
  /** What was asked for. */
  amount: v.optional(v.number()),
  currency: v.optional(v.string()),
  authorizationId: v.optional(v.string()),
  declineReason: v.optional(v.string()),
  captured: v.number(),
  refunded: v.number(),
  voided: v.number(),
  ledger: v.array(LedgerEntry),
});
export type PaymentView = v.InferOutput<typeof PaymentView>;

const Fact = { orderId: v.string(), amount: v.number(), currency: v.string() };
const Part = { ...Fact, authorizationId: v.string(), id: v.optional(v.string()) };

/** Events of a payment actor, by wire name: its journal and its ledger. `id` names the part of the money. */
export const paymentEvents = {
  "payment.authorized.v1": v.object({ ...Fact, authorizationId: v.string() }),
  "payment.declined.v1": v.object({ ...Fact, declineReason: v.string() }),
  "payment.captured.v1": v.object(Part),
  "payment.refunded.v1": v.object(Part),
  /** What was set aside and not taken is let go. `amount: 0`: nothing was set aside, and nothing will be. */
  "payment.voided.v1": v.object({ ...Fact, authorizationId: v.nullable(v.string()) }),
};
