/**
 * Notification: what a customer is told, keyed by the customer's id. The last fifty are kept.
 *
 * Nobody calls it: it takes the events of orders and deliveries that say whose they are. Between orders and deliveries
 * there is no order at the brokers, so notices are kept by the time of their events.
 */
import * as v from "valibot";
import { actor, type CloudEvent, eventNoun, type Subscription, subscription } from "#runtime";
import { Notice, Notifications } from "./messages.ts";

const KEPT = 50;

/** What the customer reads, by event type. */
const TEXTS = {
  "order.placed.v1": "We have your order",
  "order.paid.v1": "Your order is paid",
  "order.delivered.v1": "Your order has arrived",
  "order.rejected.v1": "We cannot deliver your order",
  "order.cancelled.v1": "Your order is cancelled",
  "delivery.scheduled.v1": "Your parcel is with the courier",
  "delivery.dispatched.v1": "Your parcel is on its way",
} as const;

/** What is needed of each of these events. */
const Told = v.object({ orderId: v.string(), customerId: v.optional(v.nullable(v.string())) });

const State = v.object({ notices: v.array(Notice) });
type State = v.InferOutput<typeof State>;

/** The notifications of one customer. */
export const Notification = actor("notification", {
  state: State,
  initial: (): State => ({ notices: [] }),
  messages: ({ command, query }) => ({
    /** Keeps a notice. One that is there already changes nothing. */
    tell: command({ in: Notice }, (c, notice) => {
      if (c.state.notices.some(({ id }) => id === notice.id)) return;
      c.state.notices = [...c.state.notices, notice].toSorted((a, b) => b.at.localeCompare(a.at)).slice(0, KEPT);
    }),

    list: query({ out: Notifications }, (c) => ({ customerId: c.key, items: [...c.state.notices] })),
  }),
  subscribe: Object.fromEntries(Object.entries(TEXTS).map(([type, text]) => [type, telling(eventNoun(type), text)])),
});

function telling(from: string, text: string): Subscription<"tell"> {
  return subscription(Told, {
    from,
    // A delivery that was scheduled by hand may be nobody's.
    to: ({ data }) => data.customerId ?? undefined,
    send: "tell",
    with: ({ id, type, time, data }: CloudEvent<v.InferOutput<typeof Told>>): Notice => ({
      id,
      type,
      orderId: data.orderId,
      text,
      at: time ?? "",
    }),
  });
}
