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
 */
import * as v from "valibot";
import { Address } from "#actors/delivery/messages.ts";
import { Stock } from "#actors/stock/stock.ts";
import { actor } from "#runtime";
import { fulfilOrderSignals, fulfilOrderStart } from "#workflows/fulfil-order/messages.ts";
import {
  CancelAccepted,
  type OrderChanged,
  OrderId,
  OrderLine,
  OrderMarked,
  OrderPlaced,
  OrderStatus,
  OrderView,
  PlaceOrder,
  RejectOrder,
  orderEvents,
} from "./messages.ts";
import { priceLines } from "./pricing.ts";
import { isFinal, isPast } from "./status.ts";

const State = v.object({
  customerId: v.string(),
  status: OrderStatus,
  reason: v.optional(v.string()),
  lines: v.array(OrderLine),
  total: v.number(),
  currency: v.string(),
  address: v.nullable(Address),
  workflowId: v.string(),
  cancelRequestedAt: v.nullable(v.string()),
  history: v.array(v.object({ status: OrderStatus, at: v.string() })),
});
type State = v.InferOutput<typeof State>;

/** One order, keyed by its id. */
export const Order = actor("order", {
  key: OrderId,
  state: State,
  initial: (): State => ({
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
  emits: orderEvents,
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
      });
      c.state = { ...c.state, customerId, lines, total, currency, address, workflowId: start.id };
      enter(c, "placed");
      c.emit("order.placed.v1", { ...fact(c), lines, address });
      c.workflow.start(start); // O3
      return { orderId: c.key, status: "placed" as const, total, currency, workflowId: start.id };
    }),

    /** Stock is held for every line. */
    markReserved: command({ out: OrderMarked }, (c) => {
      if (moves(c, "reserved")) c.emit("order.reserved.v1", fact(c));
      return marked(c.state);
    }),

    /** The money was taken. */
    markPaid: command({ out: OrderMarked }, (c) => {
      if (moves(c, "paid")) c.emit("order.paid.v1", fact(c));
      return marked(c.state);
    }),

    /** The parcel left the house. Refused with `cancelled` after an accepted cancel: call the parcel back. */
    markShipped: command({ out: OrderMarked }, (c) => {
      c.require(!c.state.cancelRequestedAt, "cancelled"); // O2
      if (moves(c, "shipped")) c.emit("order.shipped.v1", fact(c));
      return marked(c.state);
    }),

    /** The parcel arrived. */
    markDelivered: command({ out: OrderMarked }, (c) => {
      if (moves(c, "delivered")) c.emit("order.delivered.v1", fact(c));
      return marked(c.state);
    }),

    /** The saga gave up and has undone its steps. An order whose cancel was accepted ends `cancelled` all the same. */
    reject: command({ in: RejectOrder, out: OrderMarked }, (c, { reason }) => {
      if (c.state.cancelRequestedAt) {
        if (moves(c, "cancelled")) c.emit("order.cancelled.v1", fact(c));
      } else if (moves(c, "rejected", reason)) {
        c.state.reason = reason;
        c.emit("order.rejected.v1", { ...fact(c), reason });
      }
      return marked(c.state);
    }),

    /** The saga has undone everything after a cancel. */
    markCancelled: command({ out: OrderMarked }, (c) => {
      if (moves(c, "cancelled")) c.emit("order.cancelled.v1", fact(c));
      return marked(c.state);
    }),

    /** Asks for the order to be undone. Refused with `already_shipped` or `already_final`; repeated, the same answer. */
    cancel: command({ out: CancelAccepted }, (c) => {
      c.require(c.exists, "unknown_order");
      const { status } = c.state;
      if (!c.state.cancelRequestedAt) {
        c.require(status !== "shipped" && status !== "delivered", "already_shipped", { status }); // O2
        c.require(!isFinal(status), "already_final", { status });
        c.state.cancelRequestedAt = new Date(c.now).toISOString();
        c.workflow.signal({ id: c.state.workflowId, name: fulfilOrderSignals.cancel }); // O3
      }
      return { orderId: c.key, cancelRequested: true as const, cancelRequestedAt: c.state.cancelRequestedAt };
    }),

    get: query({ out: v.nullable(OrderView) }, (c) => (c.exists ? view(c.key, c.state) : null)),
  }),
});

interface Turn {
  readonly key: string;
  readonly now: number;
  readonly exists: boolean;
  readonly state: State;
  require(condition: unknown, reason: string, data?: Readonly<Record<string, unknown>>): void;
  broadcast(topic: string, type: string, data: unknown): void;
}

/** Moves the order to `next` and says whether it was news (O1). */
function moves(c: Turn, next: OrderStatus, reason?: string): boolean {
  c.require(c.exists, "unknown_order");
  if (isPast(c.state.status, next)) return false;
  enter(c, next, reason);
  return true;
}

function enter(c: Turn, status: OrderStatus, reason?: string): void {
  const at = new Date(c.now).toISOString();
  c.state.status = status;
  c.state.history.push({ status, at });
  const change: OrderChanged = { orderId: c.key, status, at, ...(reason === undefined ? {} : { reason }) };
  c.broadcast(`orders/${c.key}`, "order.changed", change);
  c.broadcast("orders", "order.changed", change);
}

const marked = (state: State): OrderMarked => ({
  status: state.status,
  cancelRequested: state.cancelRequestedAt !== null,
});

function fact({ key, state }: Turn): {
  orderId: string;
  customerId: string;
  status: OrderStatus;
  total: number;
  currency: string;
} {
  return {
    orderId: key,
    customerId: state.customerId,
    status: state.status,
    total: state.total,
    currency: state.currency,
  };
}

function view(orderId: string, { cancelRequestedAt, reason, ...state }: Readonly<State>): OrderView {
  return {
    orderId,
    ...state,
    ...(reason === undefined ? {} : { reason }),
    cancelRequested: cancelRequestedAt !== null,
  };
}
