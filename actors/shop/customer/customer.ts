/**
 * Customer: who orders, where to, how much at most, and what was ordered.
 *
 * Nobody has to be made before the first order: a customer nobody has put is without a name and without limits. The
 * history follows the events of orders, from Kafka; it is what the limit of open orders counts, so that limit may be
 * overstepped by what is placed within the same moment.
 *
 * C1 An order in the history only moves on: an event that comes late or again changes nothing.
 * C2 The history keeps the last hundred orders; of more, those that have ended go first.
 */
import * as v from "valibot";
import { actor, type CloudEvent, type Subscription, subscription } from "#runtime";
import { Address } from "../delivery/messages.ts";
import { orderEvents } from "../order/messages.ts";
import { isFinal, isPast } from "../order/status.ts";
import {
  CustomerId,
  CustomerLimits,
  CustomerOrder,
  CustomerTerms,
  CustomerView,
  NO_LIMITS,
  NoteOrder,
  PutCustomer,
} from "./messages.ts";

const KEPT = 100;

const State = v.object({
  name: v.optional(v.string()),
  email: v.optional(v.string()),
  address: v.nullable(Address),
  limits: CustomerLimits,
  orders: v.array(CustomerOrder),
});
type State = v.InferOutput<typeof State>;

/** One customer, keyed by the customer's id. */
export const Customer = actor("customer", {
  key: CustomerId,
  state: State,
  initial: (): State => ({ address: null, limits: NO_LIMITS, orders: [] }),
  messages: ({ command, query }) => ({
    /** Sets who it is; what is left out is unset. The history stays. */
    put: command({ in: PutCustomer, out: CustomerView }, (c, { name, email, address, limits }) => {
      const { orders } = c.state;
      c.state = {
        ...(name === undefined ? {} : { name }),
        ...(email === undefined ? {} : { email }),
        address: address ?? null,
        limits,
        orders,
      };
      return view(c.key, c.state);
    }),

    /** Keeps where an order stands (Customer.C1). */
    noteOrder: command({ in: NoteOrder }, (c, { orderId, status, total, currency, at }) => {
      const known = c.state.orders.find((order) => order.orderId === orderId);
      if (known !== undefined && isPast(known.status, status, true)) return;
      if (known === undefined) c.state.orders.unshift({ orderId, status, total, currency, placedAt: at });
      else Object.assign(known, { status, total });
      c.state.orders.sort((a, b) => b.placedAt.localeCompare(a.placedAt));
      if (c.state.orders.length <= KEPT) return;
      const oldestEnded = c.state.orders.findLastIndex((order) => isFinal(order.status));
      c.state.orders.splice(oldestEnded === -1 ? KEPT : oldestEnded, 1); // Customer.C2
    }),

    /** What holds for an order that is about to be placed. */
    terms: query({ out: CustomerTerms }, ({ state: { address, limits, orders } }) => ({
      address,
      limits,
      openOrders: openOf(orders),
    })),

    get: query({ out: CustomerView }, (c) => view(c.key, c.state)),
  }),
  subscribe: Object.fromEntries(
    (["placed", "reserved", "paid", "shipped", "delivered", "rejected", "cancelled", "returned"] as const).map(
      (status) => [`order.${status}.v1`, noting()],
    ),
  ),
});

function openOf(orders: State["orders"]): number {
  return orders.filter(({ status }) => !isFinal(status)).length;
}

function noting(): Subscription<"noteOrder"> {
  const Fact = orderEvents["order.shipped.v1"];
  return subscription(Fact, {
    from: "order",
    to: ({ data }) => data.customerId,
    send: "noteOrder",
    with: ({ data, time }: CloudEvent<v.InferOutput<typeof Fact>>): NoteOrder => ({ ...data, at: time ?? "" }),
  });
}

function view(customerId: string, { orders, ...state }: Readonly<State>): CustomerView {
  return { customerId, ...state, openOrders: openOf(orders), orders: [...orders] };
}
