/**
 * Payment: what is known about the money of one order.
 *
 * Owns: the state of the payment. Does not own: the talk with the provider; an activity has it, outside any turn, and
 * has the outcome recorded here.
 *
 * | state | exits |
 * |---|---|
 * | none | authorized, declined, voided (an undo that came first: a late authorization is refused) |
 * | authorized | captured, voided |
 * | captured | refunded |
 * | declined, voided, refunded | none: final |
 *
 * P1 Every command is idempotent by state: repeated, it changes and emits nothing.
 */
import * as v from "valibot";
import { actor } from "#runtime";
import { PaymentView, RecordAuthorization, RecordDecline, paymentEvents } from "./messages.ts";

const Held = { amount: v.number(), currency: v.string(), authorizationId: v.string() };

const State = v.variant("status", [
  v.object({ status: v.literal("none") }),
  v.object({ status: v.literal("authorized"), ...Held }),
  v.object({ status: v.literal("captured"), ...Held }),
  v.object({ status: v.literal("refunded"), ...Held }),
  v.object({ status: v.literal("declined"), amount: v.number(), currency: v.string(), declineReason: v.string() }),
  v.object({ status: v.literal("voided") }),
]);
type State = v.InferOutput<typeof State>;

/** The payment of one order, keyed by the order's id. */
export const Payment = actor("payment", {
  state: State,
  initial: (): State => ({ status: "none" }),
  emits: paymentEvents,
  messages: ({ command, query }) => ({
    /** Records that the money is set aside. Refused with `payment_voided` or `payment_declined` where that came first. */
    recordAuthorization: command({ in: RecordAuthorization, out: PaymentView }, (c, authorization) => {
      const { status } = c.state;
      if (status === "none") {
        c.state = { status: "authorized", ...authorization };
        c.emit("payment.authorized.v1", { orderId: c.key, ...authorization });
      }
      c.require(status !== "voided", "payment_voided");
      c.require(status !== "declined", "payment_declined");
      return { orderId: c.key, ...c.state };
    }),

    /** Records that the provider said no. Refused with `payment_not_open` once the payment went another way. */
    recordDecline: command({ in: RecordDecline, out: PaymentView }, (c, decline) => {
      c.require(c.state.status === "none" || c.state.status === "declined", "payment_not_open", {
        status: c.state.status,
      });
      if (c.state.status === "none") {
        c.state = { status: "declined", ...decline };
        c.emit("payment.declined.v1", { orderId: c.key, ...decline });
      }
      return { orderId: c.key, ...c.state };
    }),

    /** Records that the money was taken. Refused with `payment_not_authorized` unless it was set aside. */
    capture: command({ out: PaymentView }, (c) => {
      const { state } = c;
      if (state.status === "authorized") {
        c.state = { ...state, status: "captured" };
        c.emit("payment.captured.v1", { orderId: c.key, ...held(state) });
      } else {
        c.require(state.status === "captured", "payment_not_authorized", { status: state.status });
      }
      return { orderId: c.key, ...c.state };
    }),

    /** Lets go of money that is set aside. Refused with `payment_captured` once it was taken: then refund it. */
    void: command({ out: PaymentView }, (c) => {
      c.require(c.state.status !== "captured", "payment_captured");
      if (c.state.status === "none" || c.state.status === "authorized") c.state = { status: "voided" };
      return { orderId: c.key, ...c.state };
    }),

    /** Gives back whatever there is: taken money is refunded, set-aside money let go. The undo of all of the above. */
    refund: command({ out: PaymentView }, (c) => {
      const { state } = c;
      if (state.status === "captured") {
        c.state = { ...state, status: "refunded" };
        c.emit("payment.refunded.v1", { orderId: c.key, ...held(state) });
      } else if (state.status === "none" || state.status === "authorized") {
        c.state = { status: "voided" };
      }
      return { orderId: c.key, ...c.state };
    }),

    get: query({ out: v.nullable(PaymentView) }, (c) => (c.exists ? { orderId: c.key, ...c.state } : null)),
  }),
});

function held(state: Extract<State, { authorizationId: string }>): {
  amount: number;
  currency: string;
  authorizationId: string;
} {
  return { amount: state.amount, currency: state.currency, authorizationId: state.authorizationId };
}
