/**
 * Order: one order from placing to its end.
 *
 * Owns: lines and prices as placed, the status, and the decision between cancel and ship. Does not own: the way there;
 * the workflow `fulfilOrder` does the steps and marks each one here.
 *
 * O1 Status moves forward only: `placed → reserved → paid → shipped → delivered`; `rejected` and `cancelled` end it.
 *    A mark the order is already at, or past, changes and emits nothing.
 * O2 Cancel and ship meet here and nowhere else: after an accepted cancel `markShipped` is refused, after `markShipped`
 *    a cancel is.
 * O3 The workflow is started in the turn that places the order, and told of a cancel in the turn that accepts it.
 * O4 The order is what its events say (`apply` in `history.ts`): they are its journal, and what read models are made of.
 */
import * as v from "valibot";
import { Stock } from "#actors/shop/stock/stock.ts";
import { actor, type DeepReadonly } from "#runtime";
import { fulfilOrderSignals, fulfilOrderStart } from "#workflows/fulfil-order/messages.ts";
import { applyOrderEvent, OrderState } from "./history.ts";
import {
  CancelAccepted,
  type OrderChanged,
  OrderId,
  OrderMarked,
  OrderPlaced,
  type OrderStatus,
  OrderView,
  PlaceOrder,
  RejectOrder,
  orderEvents,
} from "./messages.ts";
import { priceLines } from "./pricing.ts";
import { isFinal, isPast } from "./status.ts";

/** One order, keyed by its id. */
export const Order = actor("order", {
  key: OrderId,
  state: OrderState,
  initial: (): OrderState => ({
    customerId: "",
    status: "placed",
    lines: [],
    total: 0,
    currency: "EUR",
    address: null,
    workflowId: "",
    cancelRequestedAt: null,
    history: [],
  }),
  journal: true,
  emits: orderEvents,
  apply: applyOrderEvent, // O4
  messages: ({ command, query }) => ({
    /** Takes the order at today's prices and starts its workflow. Refused with `already_placed` or `mixed_currencies`. */
    place: command({ in: PlaceOrder, out: OrderPlaced }, async (c, input) => {
      c.require(!c.exists, "already_placed");
      const priced = await priceLines(input, (sku) => c.ref(Stock, sku).product());
      c.require(priced.currencies.length <= 1, "mixed_currencies", { currencies: priced.currencies });
      const { lines, total } = priced;
      const currency = priced.currencies[0] ?? "EUR";
      const customerId = input.customerId ?? "guest";
      const address = input.address ?? null;
      const start = fulfilOrderStart({
        orderId: c.key,
        lines,
        total,
        currency,
        paymentToken: input.paymentToken,
        address,
        customerId,
      });
      c.emit("order.placed.v1", { orderId: c.key, customerId, status: "placed", total, currency, lines, address });
      tellFollowers(c, "placed");
      c.workflow.start(start); // O3
      return { orderId: c.key, status: "placed" as const, total, currency, workflowId: start.id };
    }),

    /** Stock is held for every line. */
    markReserved: command({ out: OrderMarked }, (c) => {
      if (comesTo(c, "reserved")) c.emit("order.reserved.v1", fact(c, "reserved"));
      return marked(c.state);
    }),

    /** The money was taken. */
    markPaid: command({ out: OrderMarked }, (c) => {
      if (comesTo(c, "paid")) c.emit("order.paid.v1", fact(c, "paid"));
      return marked(c.state);
    }),

    /** The parcel left the house. Refused with `cancelled` after an accepted cancel: call the parcel back. */
    markShipped: command({ out: OrderMarked }, (c) => {
      c.require(!c.state.cancelRequestedAt, "cancelled"); // O2
      if (comesTo(c, "shipped")) c.emit("order.shipped.v1", fact(c, "shipped"));
      return marked(c.state);
    }),

    /** The parcel arrived. */
    markDelivered: command({ out: OrderMarked }, (c) => {
      if (comesTo(c, "delivered")) c.emit("order.delivered.v1", fact(c, "delivered"));
      return marked(c.state);
    }),

    /** The saga gave up and has undone its steps. An order whose cancel was accepted ends `cancelled` all the same. */
    reject: command({ in: RejectOrder, out: OrderMarked }, (c, { reason }) => {
      if (c.state.cancelRequestedAt) {
        if (comesTo(c, "cancelled")) c.emit("order.cancelled.v1", fact(c, "cancelled"));
      } else if (comesTo(c, "rejected", reason)) {
        c.emit("order.rejected.v1", { ...fact(c, "rejected"), reason });
      }
      return marked(c.state);
    }),

    /** The saga has undone everything after a cancel. */
    markCancelled: command({ out: OrderMarked }, (c) => {
      if (comesTo(c, "cancelled")) c.emit("order.cancelled.v1", fact(c, "cancelled"));
      return marked(c.state);
    }),

    /** Asks for the order to be undone. Refused with `already_shipped` or `already_final`; repeated, the same answer. */
    cancel: command({ out: CancelAccepted }, (c) => {
      c.require(c.exists, "unknown_order");
      const { status } = c.state;
      if (!c.state.cancelRequestedAt) {
        c.require(status !== "shipped" && status !== "delivered", "already_shipped", { status }); // O2
        c.require(!isFinal(status), "already_final", { status });
        c.emit("order.cancel-requested.v1", fact(c, status));
        c.workflow.signal({ id: c.state.workflowId, name: fulfilOrderSignals.cancel }); // O3
      }
      return { orderId: c.key, cancelRequested: true as const, cancelRequestedAt: c.state.cancelRequestedAt ?? "" };
    }),

    get: query({ out: v.nullable(OrderView) }, (c) => (c.exists ? view(c.key, c.state) : null)),
  }),
});

interface Turn {
  readonly key: string;
  readonly now: number;
  readonly exists: boolean;
  readonly state: DeepReadonly<OrderState>;
  require(condition: unknown, reason: string, data?: Readonly<Record<string, unknown>>): void;
  broadcast(topic: string, type: string, data: unknown): void;
}

/** Whether the order is still to come to `next` (O1). If it is, its followers are told, as it will have come there. */
function comesTo(c: Turn, next: OrderStatus, reason?: string): boolean {
  c.require(c.exists, "unknown_order");
  if (isPast(c.state.status, next)) return false;
  tellFollowers(c, next, reason);
  return true;
}

function tellFollowers(c: Turn, status: OrderStatus, reason?: string): void {
  const at = new Date(c.now).toISOString();
  const change: OrderChanged = { orderId: c.key, status, at, ...(reason === undefined ? {} : { reason }) };
  c.broadcast(`orders/${c.key}`, "order.changed", change);
  c.broadcast("orders", "order.changed", change);
}

const marked = (state: DeepReadonly<OrderState>): OrderMarked => ({
  status: state.status,
  cancelRequested: state.cancelRequestedAt !== null,
});

/** What every event tells of the order, at the status it brings. */
function fact(
  { key, state: { customerId, total, currency } }: Turn,
  status: OrderStatus,
): { orderId: string; customerId: string; status: OrderStatus; total: number; currency: string } {
  return { orderId: key, customerId, status, total, currency };
}

function view(orderId: string, { cancelRequestedAt, reason, ...state }: Readonly<OrderState>): OrderView {
  return {
    orderId,
    ...state,
    ...(reason === undefined ? {} : { reason }),
    cancelRequested: cancelRequestedAt !== null,
  };
}
