/**
 * Payment: what is known about the money of one order, as a ledger.
 *
 * Owns: the ledger. Does not own: the talk with the provider; an activity has it, outside any turn, and has each outcome
 * recorded here.
 *
 * | status | exits |
 * |---|---|
 * | none | authorized, declined, voided (an undo that came first) |
 * | authorized | captured, voided, declined (the provider refused to let the money be taken) |
 * | captured | refunded, once all of it was given back |
 * | declined, voided, refunded | none: final |
 *
 * P1 Every command is idempotent by what it names: the same capture or refund again changes and emits nothing.
 * P2 captured + voided ≤ authorized, and refunded ≤ captured: what would break that is refused.
 * P3 Money that the provider sets aside after an undo is given back: the turn that hears of it closes the ledger and
 *    starts the workflow `settlePayment`. An undo that came before any answer starts it a minute later, as the answer
 *    may have been lost with the process that waited for it.
 */
import * as v from "valibot";
import { actor, type DeepReadonly } from "#runtime";
import { settlePaymentStart } from "#workflows/settle-payment/messages.ts";
import { OrderId } from "../order/messages.ts";
import { applyPaymentEvent, type PaymentState, PaymentState as State, sumsOf } from "./ledger.ts";
import { PaymentView, paymentEvents, RecordAuthorization, RecordDecline, RecordPart } from "./messages.ts";

/** How long after an undo without an authorization the provider is asked again. Longer than a call to it may take. */
const SETTLE_AFTER = "1m";
const settle = "settle";

/** The payment of one order, keyed by the order's id. */
export const Payment = actor("payment", {
  key: OrderId,
  state: State,
  initial: (): PaymentState => ({ status: "none" }),
  journal: true,
  emits: paymentEvents,
  apply: applyPaymentEvent,
  messages: ({ command, query }) => ({
    /**
     * Records that the money is set aside. Refused with `payment_declined` where that came first. After an undo it is
     * answered `voided`, and the money is given back (Payment.P3).
     */
    recordAuthorization: command({ in: RecordAuthorization, out: PaymentView }, (c, authorization) => {
      const { status } = c.state;
      c.require(status !== "declined", "payment_declined");
      const known = c.state.authorizationId === authorization.authorizationId;
      if (status === "none" || (status === "voided" && !known)) {
        c.emit("payment.authorized.v1", { orderId: c.key, ...authorization });
      }
      if (status === "voided" && !known) {
        const { amount, currency, authorizationId } = authorization;
        c.emit("payment.voided.v1", { orderId: c.key, amount, currency, authorizationId });
        c.workflow.signalWithStart(settlePaymentStart(c.key)); // Payment.P3
      }
      return view(c.key, c.state);
    }),

    /** Records that the provider said no, to setting aside or to taking. Refused with `payment_not_open` afterwards. */
    recordDecline: command({ in: RecordDecline, out: PaymentView }, (c, decline) => {
      const { status, currency = decline.currency, authorizationId = null } = c.state;
      const { captured, open } = sumsOf(c.state);
      c.require(captured === 0 && status !== "voided", "payment_not_open", { status });
      if (status === "declined") return view(c.key, c.state);
      if (open > 0) c.emit("payment.voided.v1", { orderId: c.key, amount: open, currency, authorizationId });
      c.emit("payment.declined.v1", { orderId: c.key, ...decline });
      return view(c.key, c.state);
    }),

    /** Records that a part was taken. Refused with `payment_not_authorized`, or `over_captured` beyond what is set aside. */
    capture: command({ in: RecordPart, out: PaymentView }, (c, { id, amount }) => {
      if (knows(c.state, "captured", id)) return view(c.key, c.state); // Payment.P1
      const { status, currency, authorizationId } = c.state;
      if ((status !== "authorized" && status !== "captured") || currency === undefined || authorizationId === undefined)
        return c.refuse("payment_not_authorized", { status });
      const { open } = sumsOf(c.state);
      c.require(amount <= open, "over_captured", { amount, open }); // Payment.P2
      c.emit("payment.captured.v1", { orderId: c.key, amount, currency, authorizationId, id });
      return view(c.key, c.state);
    }),

    /** Records that a part was given back. Refused with `payment_not_captured`, or `over_refunded` beyond what was taken. */
    refund: command({ in: RecordPart, out: PaymentView }, (c, { id, amount }) => {
      if (knows(c.state, "refunded", id)) return view(c.key, c.state); // Payment.P1
      const { status, currency, authorizationId } = c.state;
      if (status !== "captured" || currency === undefined || authorizationId === undefined)
        return c.refuse("payment_not_captured", { status });
      const { captured, refunded } = sumsOf(c.state);
      c.require(amount <= captured - refunded, "over_refunded", { amount, left: captured - refunded }); // Payment.P2
      c.emit("payment.refunded.v1", { orderId: c.key, amount, currency, authorizationId, id });
      return view(c.key, c.state);
    }),

    /** Records that what is set aside was let go; before there was any, that there will be none. Repeated, no change. */
    void: command({ out: PaymentView }, (c) => {
      const { status, currency, authorizationId = null } = c.state;
      const { open } = sumsOf(c.state);
      if (open > 0) {
        c.emit("payment.voided.v1", { orderId: c.key, amount: open, currency: currency ?? "", authorizationId });
      } else if (status === "none") {
        c.emit("payment.voided.v1", { orderId: c.key, amount: 0, currency: currency ?? "", authorizationId });
        c.timers.set(settle, { in: SETTLE_AFTER, send: settle }); // Payment.P3
      }
      return view(c.key, c.state);
    }),

    /** The timer of Payment.P3: has the provider asked once more. */
    settle: command({}, (c) => {
      if (c.state.status === "voided") c.workflow.signalWithStart(settlePaymentStart(c.key));
    }),

    get: query({ out: v.nullable(PaymentView) }, (c) => (c.exists ? view(c.key, c.state) : null)),
  }),
});

function knows({ ledger = [] }: DeepReadonly<PaymentState>, kind: "captured" | "refunded", id: string): boolean {
  return ledger.some((entry) => entry.kind === kind && entry.id === id);
}

function view(orderId: string, state: DeepReadonly<PaymentState>): PaymentView {
  const { ledger = [], ...rest } = state;
  const { captured, refunded, voided } = sumsOf(state);
  return { orderId, ...rest, captured, refunded, voided, ledger: [...ledger] };
}
