import * as v from "valibot";
import { Currency, Price } from "#actors/shop/stock/messages.ts";

/** What the customer pays with. The sandbox knows `tok_ok`, `tok_declined`, `tok_flaky` and `tok_slow`. */
export const PaymentToken = v.pipe(v.string(), v.regex(/^tok_[a-z0-9_]{1,60}$/, "must look like tok_ok"));

const Money = { amount: Price, currency: Currency };

/** The provider said yes: the money is set aside under its `authorizationId`. */
export const RecordAuthorization = v.object({ ...Money, authorizationId: v.string() });
export type RecordAuthorization = v.InferOutput<typeof RecordAuthorization>;
/** The provider said no. */
export const RecordDecline = v.object({ ...Money, declineReason: v.string() });

/** Where a payment stands. */
export const PaymentStatus = v.picklist(["none", "authorized", "captured", "refunded", "declined", "voided"]);
export type PaymentStatus = v.InferOutput<typeof PaymentStatus>;

/** What `GET /payments/:orderId` shows. */
export const PaymentView = v.object({
  orderId: v.string(),
  status: PaymentStatus,
  amount: v.optional(v.number()),
  currency: v.optional(v.string()),
  authorizationId: v.optional(v.string()),
  declineReason: v.optional(v.string()),
});
export type PaymentView = v.InferOutput<typeof PaymentView>;

const Fact = v.object({ orderId: v.string(), amount: v.number(), currency: v.string() });

/** Events of a payment actor, by wire name. */
export const paymentEvents = {
  "payment.authorized.v1": v.object({ ...Fact.entries, authorizationId: v.string() }),
  "payment.declined.v1": v.object({ ...Fact.entries, declineReason: v.string() }),
  "payment.captured.v1": v.object({ ...Fact.entries, authorizationId: v.string() }),
  "payment.refunded.v1": v.object({ ...Fact.entries, authorizationId: v.string() }),
};
