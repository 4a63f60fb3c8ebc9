/**
 * Order: one order from placing to its end.
 *
 * Owns: lines and prices as placed, the status, and the decisions that two parties race for: cancel and ship, return and
 * its deadline. Does not own: the way there; the workflow `fulfilOrder` does the steps and marks each one here.
 *
 * O1 Status moves forward only: `placed → reserved → paid → shipped → delivered`; `rejected` and `cancelled` end it, and
 *    `returned` after delivery. A mark the order is already at, or past, changes and emits nothing.
 * O2 Cancel and ship meet here and nowhere else: after an accepted cancel `markShipped` is refused, after `markShipped`
 *    a cancel is.
 * O3 The workflow is started in the turn that places the order, and told of a cancel in the turn that accepts it.
 * O4 The order is what its events say (`apply` in `history.ts`): they are its journal, and what read models are made of.
 * O5 What cannot be undone shows: the order is `needs_attention` until the undo is done, and only then comes to its end.
 */
import * as v from "valibot";
import { actor, type DeepReadonly, durationMs, type JournaledTurnContext } from "#runtime";
import { fulfilOrderSignals, fulfilOrderStart } from "#workflows/fulfil-order/messages.ts";
import { returnOrderStart } from "#workflows/return-order/messages.ts";
import { Customer } from "../customer/customer.ts";
import { type CustomerTerms, NO_LIMITS } from "../customer/messages.ts";
import type { Address } from "../delivery/messages.ts";
import { countryOf } from "../money/charges.ts";
import { Stock } from "../stock/stock.ts";
import { comesTo, fact, marked, tellDetail, tellStatus } from "./followers.ts";
import { applyOrderEvent, OrderState } from "./history.ts";
import {
  AskDecision,
  CancelAccepted,
  ChangeOrderAddress,
  Decide,
  OrderId,
  OrderMarked,
  OrderPlaced,
  OrderView,
  PartialLine,
  PlaceOrder,
  RejectOrder,
  ReturnAccepted,
  UndoFailure,
  orderEvents,
} from "./messages.ts";
import { chargesOfPart, priceOrder } from "./place.ts";
import { goodsOf, priceLines } from "./pricing.ts";
import { isFinal } from "./status.ts";

/** How long after its delivery an order may be sent back. */
export const RETURN_WITHIN = "30d";
/** Of guests. */
const NO_TERMS: CustomerTerms = { address: null, limits: NO_LIMITS, openOrders: 0 };

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
  apply: applyOrderEvent, // Order.O4
  messages: ({ command, query }) => ({
    /**
     * Takes the order at today's prices and starts its workflow. Refused with `already_placed`, `mixed_currencies`,
     * `total_too_large`, or by the customer's limits: `over_order_limit`, `too_many_open_orders`.
     */
    place: command({ in: PlaceOrder, out: OrderPlaced }, async (c, input) => {
      c.require(!c.exists, "already_placed");
      const [priced, terms] = await Promise.all([
        priceLines(input, (sku) => c.ref(Stock, sku).product()),
        input.customerId === undefined ? NO_TERMS : c.ref(Customer, input.customerId).terms(),
      ]);
      const address = input.address ?? terms.address;
      const { order, objection } = priceOrder(priced, address, terms);
      if (objection !== undefined) return c.refuse(objection.reason, objection.data);
      const { lines, total, currency, charges } = order;
      const customerId = input.customerId ?? "guest";
      const start = fulfilOrderStart({
        orderId: c.key,
        lines,
        total,
        currency,
        paymentToken: input.paymentToken,
        address,
        customerId,
        edition: 3,
      });
      const placed = { orderId: c.key, customerId, status: "placed" as const, total, currency };
      c.emit("order.placed.v1", { ...placed, lines, address, charges });
      tellStatus(c, "placed");
      c.workflow.start(start); // Order.O3
      return { orderId: c.key, status: "placed" as const, total, currency, workflowId: start.id };
    }),

    /** Stock is held for every line. */
    markReserved: command({ out: OrderMarked }, (c) => {
      if (comesTo(c, "reserved")) c.emit("order.reserved.v1", fact(c, "reserved"));
      return marked(c.state);
    }),

    /** The money was taken. The event holds what an invoice is made of. */
    markPaid: command({ out: OrderMarked }, (c) => {
      if (comesTo(c, "paid")) {
        const { lines, charges, address } = c.state;
        const goods = { lines: [...lines], address, ...(charges === undefined ? {} : { charges }) };
        c.emit("order.paid.v1", { ...fact(c, "paid"), ...goods });
      }
      return marked(c.state);
    }),

    /** The parcel left the house. Refused with `cancelled` after an accepted cancel: call the parcel back. */
    markShipped: command({ out: OrderMarked }, (c) => {
      c.require(!c.state.cancelRequestedAt, "cancelled"); // Order.O2
      if (comesTo(c, "shipped")) c.emit("order.shipped.v1", fact(c, "shipped"));
      return marked(c.state);
    }),

    /** As `markShipped`, from the parcel itself. After an accepted cancel it changes nothing: the saga calls the parcel back. */
    parcelLeft: command({}, (c) => {
      if (!c.state.cancelRequestedAt && comesTo(c, "shipped")) c.emit("order.shipped.v1", fact(c, "shipped"));
    }),

    /** The parcel arrived. */
    markDelivered: command({ out: OrderMarked }, (c) => {
      if (comesTo(c, "delivered")) c.emit("order.delivered.v1", fact(c, "delivered"));
      return marked(c.state);
    }),

    /** The saga gave up and has undone its steps. An order whose cancel was accepted ends `cancelled` all the same. */
    reject: command({ in: RejectOrder, out: OrderMarked }, (c, { reason, recalled }) => {
      if (c.state.cancelRequestedAt) {
        if (comesTo(c, "cancelled")) c.emit("order.cancelled.v1", fact(c, "cancelled"));
      } else if (comesTo(c, "rejected", reason, recalled)) {
        c.emit("order.rejected.v1", { ...fact(c, "rejected"), reason });
      }
      return marked(c.state);
    }),

    /** The saga has undone everything after a cancel. */
    markCancelled: command({ out: OrderMarked }, (c) => {
      if (comesTo(c, "cancelled")) c.emit("order.cancelled.v1", fact(c, "cancelled"));
      return marked(c.state);
    }),

    /** The parcel was lost on its way, and the money was given back. */
    markLost: command({ out: OrderMarked }, (c) => {
      const reason = "parcel_lost";
      if (comesTo(c, "cancelled", reason, true)) c.emit("order.cancelled.v1", { ...fact(c, "cancelled"), reason });
      return marked(c.state);
    }),

    /** The parcel came back, and so did the money. */
    markReturned: command({ in: RejectOrder, out: OrderMarked }, (c, { reason }) => {
      if (comesTo(c, "returned", reason)) c.emit("order.returned.v1", { ...fact(c, "returned"), reason });
      return marked(c.state);
    }),

    /** Some undo was refused for good (Order.O5). */
    markNeedsAttention: command({ in: v.array(UndoFailure), out: OrderMarked }, (c, undoFailures) => {
      const same = JSON.stringify(c.state.undoFailures) === JSON.stringify(undoFailures);
      const news = comesTo(c, "needs_attention", undoFailures[0]?.reason);
      if (news || (c.state.status === "needs_attention" && !same))
        c.emit("order.needs-attention.v1", { ...fact(c, "needs_attention"), undoFailures });
      return marked(c.state);
    }),

    /** Only a part of the stock is there: asks the customer, until a time. */
    askDecision: command({ in: AskDecision, out: OrderMarked }, (c, { lines, withinMs = 0, until: given }) => {
      c.require(c.exists, "unknown_order");
      if (c.state.decision === undefined) {
        const until = given ?? new Date(c.now + withinMs).toISOString();
        c.emit("order.decision-asked.v1", { ...fact(c, c.state.status), lines, until });
        tellDetail(c, "order.decision-asked", { lines, until });
      }
      return marked(c.state);
    }),

    /** The customer's answer; the first one holds. */
    decide: command({ in: Decide, out: OrderMarked }, (c, { choice }) => {
      c.require(c.state.decision, "nothing_to_decide");
      const { decision } = c.state;
      if (decision?.choice === null || decision?.choice === "wait") {
        c.emit("order.decided.v1", { ...fact(c, c.state.status), choice });
        tellDetail(c, "order.decided", { choice });
      }
      return marked(c.state);
    }),

    /** The customer took a part: lines keep what is held of them. Answers with the total that is left to pay. */
    reduceLines: command({ in: v.array(PartialLine), out: v.object({ total: v.number() }) }, (c, part) => {
      const held = new Map(part.map((line) => [line.sku, line.held]));
      const lines = c.state.lines
        .map((line) => ({ ...line, quantity: (line.sku === null ? undefined : held.get(line.sku)) ?? line.quantity }))
        .filter(({ quantity }) => quantity > 0);
      if (JSON.stringify(lines) !== JSON.stringify(c.state.lines)) {
        const charges = chargesOfPart(goodsOf(lines), c.state.charges);
        const total = charges.goods + charges.shipping;
        c.emit("order.lines-changed.v1", { ...fact(c, c.state.status), total, lines, charges });
        tellDetail(c, "order.lines-changed", { total });
      }
      return { total: c.state.total };
    }),

    /**
     * Sends the order elsewhere, in the same country. Refused with `already_shipped`, `already_final`, `cancelled`, or
     * `other_country`, as the order was taxed and shipped for one.
     */
    changeAddress: command({ in: ChangeOrderAddress, out: OrderMarked }, (c, { address }) => {
      const { status } = c.state;
      c.require(c.exists, "unknown_order");
      const objection = objectionToAddress(c.state, address);
      if (objection !== null) return c.refuse(objection, { status });
      if (JSON.stringify(address) !== JSON.stringify(c.state.address)) {
        c.emit("order.address-changed.v1", { ...fact(c, status), address });
        tellDetail(c, "order.address-changed", { address });
      }
      return marked(c.state);
    }),

    /** Why `changeAddress` would refuse an address; `null` where it would not. */
    addressObjection: query({ in: ChangeOrderAddress, out: v.nullable(v.string()) }, (c, { address }) =>
      c.exists ? objectionToAddress(c.state, address) : "unknown_order",
    ),

    /** Asks for the order to be undone. Refused with `already_shipped` or `already_final`; repeated, the same answer. */
    cancel: command({ out: CancelAccepted }, (c) => {
      if (acceptCancel(c)) c.workflow.signal({ id: c.state.workflowId, name: fulfilOrderSignals.cancel }); // Order.O3
      return cancelAnswer(c);
    }),

    /** As `cancel`, from the workflow itself: it need not be told. */
    recordCancel: command({ out: CancelAccepted }, (c) => {
      acceptCancel(c);
      return cancelAnswer(c);
    }),

    /** The customer sends it back. Refused with `not_delivered` or `return_too_late`; repeated, the same answer. */
    requestReturn: command({ out: ReturnAccepted }, (c) => {
      c.require(c.exists, "unknown_order");
      const { status, lines, history, returnRequestedAt } = c.state;
      const start = returnOrderStart({ orderId: c.key, lines: [...lines], reason: "customer_return" });
      if (returnRequestedAt === undefined) {
        c.require(status === "delivered", "not_delivered", { status });
        const deliveredAt = history.findLast((moment) => moment.status === "delivered")?.at ?? "";
        const until = Date.parse(deliveredAt) + durationMs(RETURN_WITHIN);
        c.require(c.now <= until, "return_too_late", { until: new Date(until).toISOString() });
        c.emit("order.return-requested.v1", { ...fact(c, status), workflowId: start.id });
        tellDetail(c, "order.return-requested", {});
        c.workflow.start(start);
      }
      return { orderId: c.key, returnRequestedAt: c.state.returnRequestedAt ?? "", workflowId: start.id };
    }),

    get: query({ out: v.nullable(OrderView) }, (c) => (c.exists ? view(c.key, c.state) : null)),
  }),
});

type Turn = JournaledTurnContext<OrderState, typeof orderEvents>;

function objectionToAddress(state: DeepReadonly<OrderState>, address: Address): string | null {
  const { status, cancelRequestedAt, charges } = state;
  if (status === "shipped" || status === "delivered") return "already_shipped";
  if (isFinal(status) || status === "needs_attention") return "already_final";
  if (cancelRequestedAt !== null) return "cancelled";
  return countryOf(address) === (charges?.country ?? countryOf(null)) ? null : "other_country";
}

/** Accepts a cancel unless one was accepted before. @returns whether this one is the first. */
function acceptCancel(c: Turn): boolean {
  c.require(c.exists, "unknown_order");
  const { status, cancelRequestedAt } = c.state;
  if (cancelRequestedAt !== null) return false;
  c.require(status !== "shipped" && status !== "delivered", "already_shipped", { status }); // Order.O2
  c.require(!isFinal(status) && status !== "needs_attention", "already_final", { status });
  c.emit("order.cancel-requested.v1", fact(c, status));
  return true;
}

function cancelAnswer({ key, state }: Turn) {
  return { orderId: key, cancelRequested: true as const, cancelRequestedAt: state.cancelRequestedAt ?? "" };
}

function view(orderId: string, state: Readonly<OrderState>): OrderView {
  const { cancelRequestedAt, returnRequestedAt, reason, ...rest } = state;
  return {
    orderId,
    ...rest,
    ...(reason === undefined ? {} : { reason }),
    cancelRequested: cancelRequestedAt !== null,
    returnRequested: returnRequestedAt !== undefined,
  };
}
