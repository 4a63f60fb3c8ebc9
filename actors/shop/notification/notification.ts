/**
 * Notification: what a customer is told, keyed by the customer's id.
 *
 * Nobody calls it but the reader: it takes the events of orders and deliveries that say whose they are. Brokers keep no sequence
 * between orders and deliveries, so notices are kept by the time of their events.
 *
 * N1 An event is told once: its id is the message's id, and the notice's.
 * N2 A notice is kept until it is read, and the last fifty longer. Beyond 500 the oldest go, read or not.
 * N3 Those who follow `notifications/<customerId>` get each notice after the commit that keeps it.
 */
import * as v from "valibot";
import { actor, type CloudEvent, eventNoun, type Subscription, subscription } from "#runtime";
import { Notice, type NoticesRead, Notifications, ReadNotices } from "./messages.ts";
import { noticesTopic } from "./topic.ts";

const KEPT_READ = 50;
const KEPT = 500;

/** What the customer reads, by event type. */
const TEXTS = {
  "order.placed.v1": "We have your order",
  "order.decision-asked.v1": "Only a part of your order is in stock: tell us what to do",
  "order.paid.v1": "Your order is paid",
  "order.delivered.v1": "Your order has arrived",
  "order.rejected.v1": "We cannot deliver your order",
  "order.cancelled.v1": "Your order is cancelled",
  "order.returned.v1": "Your order came back, and so does your money",
  "delivery.scheduled.v1": "Your parcel is with the courier",
  "delivery.dispatched.v1": "Your parcel is on its way",
  "delivery.attempt-failed.v1": "Nobody was there: the courier comes again",
  "delivery.lost.v1": "Your parcel was lost: you get your money back",
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
      if (c.state.notices.some(({ id }) => id === notice.id)) return; // Notification.N1
      c.state.notices = kept([...c.state.notices, notice].toSorted((a, b) => b.at.localeCompare(a.at)));
      c.broadcast(noticesTopic(c.key), "notification.told", { ...notice, unread: unreadOf(c.state) }); // Notification.N3
    }),

    /** Marks notices as read. Unknown ids are passed over. */
    read: command({ in: ReadNotices, out: Notifications }, (c, { ids }) => {
      const before = unreadOf(c.state);
      for (const notice of c.state.notices) if (ids === "all" || ids.includes(notice.id)) notice.read = true;
      c.state.notices = kept(c.state.notices);
      const read: NoticesRead = { ids, unread: unreadOf(c.state) };
      if (read.unread !== before) c.broadcast(noticesTopic(c.key), "notification.read", read);
      return view(c.key, c.state);
    }),

    list: query({ out: Notifications }, (c) => view(c.key, c.state)),
  }),
  subscribe: Object.fromEntries(Object.entries(TEXTS).map(([type, text]) => [type, telling(eventNoun(type), text)])),
});

/** Notification.N2, of notices from the newest to the oldest. */
function kept(notices: readonly Notice[]): Notice[] {
  return notices.filter(({ read }, i) => i < KEPT_READ || (read !== true && i < KEPT));
}

function unreadOf({ notices }: Readonly<State>): number {
  return notices.filter(({ read }) => read !== true).length;
}

function view(customerId: string, state: Readonly<State>): Notifications {
  return { customerId, unread: unreadOf(state), items: [...state.notices] };
}

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
