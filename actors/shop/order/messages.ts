import * as v from "valibot";
import { Address } from "../delivery/messages.ts";
import { Charges, Currency, Price } from "../money/messages.ts";
import { PaymentToken } from "../payment/messages.ts";
import { MAX_QUANTITY, Quantity, Sku } from "../stock/messages.ts";

/** The key of an order actor, as in `ord_0199…`. */
export const OrderId = v.pipe(v.string(), v.regex(/^ord_[A-Za-z0-9-]{1,64}$/, "must look like ord_…"));

/** The key of a customer, as in `cus_1`: printable, without spaces at its ends. */
export const CustomerId = v.pipe(
  v.string(),
  v.minLength(1),
  v.maxLength(100),
  v.regex(/^[^\s\p{C}](?:[^\p{C}]*[^\s\p{C}])?$/u, "must be printable, without spaces at its ends"),
);

/** The fields of an order as a customer sends it. */
export const PlaceOrderFields = v.strictObject({
  /** Needed with `lines`; an order of `amount` alone belongs to `guest` without it. */
  customerId: v.optional(CustomerId),
  lines: v.optional(
    v.pipe(v.array(v.strictObject({ sku: Sku, quantity: Quantity })), v.minLength(1), v.maxLength(100)),
  ),
  /** Minor units: an order of one free line, for which no stock is held. */
  amount: v.optional(v.pipe(Price, v.minValue(1))),
  /** Of `amount`; lines bring their own. Default `EUR`. */
  currency: v.optional(Currency),
  paymentToken: v.optional(PaymentToken, "tok_ok"),
  /** Default: the customer's, where one is known. */
  address: v.optional(Address),
});

/**
 * Places an order: of `lines` with a `customerId`, or of an `amount` alone. Carries no prices: the order asks the stock.
 * Lines of one SKU are one line, so that together they may not pass the quantity of a line.
 */
export const PlaceOrder = v.pipe(
  PlaceOrderFields,
  v.forward(
    v.partialCheck(
      [["lines"], ["amount"]],
      (o) => (o.lines === undefined) !== (o.amount === undefined),
      "needs either lines or an amount",
    ),
    ["lines"],
  ),
  v.forward(
    v.partialCheck(
      [["lines"], ["customerId"]],
      (o) => o.lines === undefined || o.customerId !== undefined,
      "is needed with lines",
    ),
    ["customerId"],
  ),
  v.forward(
    v.partialCheck(
      [["lines"]],
      ({ lines = [] }) => Math.max(0, ...quantitiesOf(lines).values()) <= MAX_QUANTITY,
      `may hold at most ${MAX_QUANTITY} pieces of a SKU, over all its lines`,
    ),
    ["lines"],
  ),
);
export type PlaceOrder = v.InferInput<typeof PlaceOrder>;

/** Pieces by SKU, over all lines, in order of their first line. */
export function quantitiesOf(
  lines: readonly { readonly sku: string; readonly quantity: number }[],
): ReadonlyMap<string, number> {
  const quantities = new Map<string, number>();
  for (const { sku, quantity } of lines) quantities.set(sku, (quantities.get(sku) ?? 0) + quantity);
  return quantities;
}

/**
 * Where an order stands: `placed → reserved → paid → shipped → delivered`, or `rejected`, or `cancelled`; `returned` after
 * it was delivered. `needs_attention`: an undo was refused for good, and somebody has to have it tried again.
 */
export const OrderStatus = v.picklist([
  "placed",
  "reserved",
  "paid",
  "shipped",
  "delivered",
  "rejected",
  "cancelled",
  "needs_attention",
  "returned",
]);
export type OrderStatus = v.InferOutput<typeof OrderStatus>;

/** One line with the price it was placed at; `sku: null` for a free line, `price: null` for an unknown SKU. */
export const OrderLine = v.object({
  sku: v.nullable(v.string()),
  name: v.string(),
  quantity: v.number(),
  price: v.nullable(v.number()),
});
export type OrderLine = v.InferOutput<typeof OrderLine>;

export const OrderPlaced = v.object({
  orderId: v.string(),
  status: v.literal("placed"),
  total: v.number(),
  currency: v.string(),
  workflowId: v.string(),
});

/** Why the saga turns an order down, as in `out_of_stock`. */
export const RejectOrder = v.object({
  reason: v.string(),
  /** Its parcel was called back, if it had left: a shipped order ends too. */
  recalled: v.optional(v.boolean()),
});

/** What the saga is told after each of its marks. */
export const OrderMarked = v.object({ status: OrderStatus, cancelRequested: v.boolean() });
export type OrderMarked = v.InferOutput<typeof OrderMarked>;

/** The answer to a cancel; a repeated cancel gets the same one. */
export const CancelAccepted = v.object({
  orderId: v.string(),
  cancelRequested: v.literal(true),
  cancelRequestedAt: v.string(),
});

/** What is held of a line of which not all is there. */
export const PartialLine = v.object({ sku: v.string(), wanted: v.number(), held: v.number() });
export type PartialLine = v.InferOutput<typeof PartialLine>;

/** What a customer may do when only a part of the stock is there. */
export const Choice = v.picklist(["accept", "wait", "cancel"]);
export type Choice = v.InferOutput<typeof Choice>;

/** The question whether to go on with a part. Unanswered until `until`, the order is turned down. */
export const Decision = v.object({
  lines: v.array(PartialLine),
  until: v.string(),
  choice: v.nullable(Choice),
});

/** `withinMs` is counted from the turn, so that a repeat says the same; `until` is how earlier versions say it. */
export const AskDecision = v.object({
  lines: v.array(PartialLine),
  until: v.optional(v.string()),
  withinMs: v.optional(v.pipe(v.number(), v.minValue(0))),
});
export const Decide = v.object({ choice: Choice });
export const ChangeOrderAddress = v.object({ address: Address });

/** An undo that was refused for good, as in `{undo: "refundPayment", reason: "refund_refused"}`. */
export const UndoFailure = v.object({ undo: v.string(), reason: v.string() });
export type UndoFailure = v.InferOutput<typeof UndoFailure>;

/** The answer to a return; a repeated one gets the same one. */
export const ReturnAccepted = v.object({ orderId: v.string(), returnRequestedAt: v.string(), workflowId: v.string() });

/** What `GET /orders/:id` shows of the order itself. Times are RFC 3339. */
export const OrderView = v.object({
  orderId: v.string(),
  customerId: v.string(),
  status: OrderStatus,
  reason: v.optional(v.string()),
  lines: v.array(OrderLine),
  total: v.number(),
  currency: v.string(),
  /** How the total is made up. Absent in orders that were placed before there were charges. */
  charges: v.optional(Charges),
  address: v.nullable(Address),
  workflowId: v.string(),
  cancelRequested: v.boolean(),
  returnRequested: v.boolean(),
  /** Where only a part of the stock was there. */
  decision: v.optional(Decision),
  /** Where it is `needs_attention`: what could not be undone. */
  undoFailures: v.optional(v.array(UndoFailure)),
  history: v.array(v.object({ status: OrderStatus, at: v.string() })),
});
export type OrderView = v.InferOutput<typeof OrderView>;

const Fact = {
  orderId: v.string(),
  customerId: v.string(),
  status: OrderStatus,
  total: v.number(),
  currency: v.string(),
};

/** What an invoice is made of. Optional, as orders of before told less. */
const Goods = {
  lines: v.optional(v.array(OrderLine)),
  charges: v.optional(Charges),
  address: v.optional(v.nullable(Address)),
};

/** Events of an order actor, by wire name: its journal. The statuses are emitted at most once in the life of an order. */
export const orderEvents = {
  "order.placed.v1": v.object({
    ...Fact,
    lines: v.array(OrderLine),
    address: v.nullable(Address),
    charges: v.optional(Charges),
  }),
  "order.reserved.v1": v.object(Fact),
  "order.paid.v1": v.object({ ...Fact, ...Goods }),
  "order.shipped.v1": v.object(Fact),
  "order.delivered.v1": v.object(Fact),
  "order.rejected.v1": v.object({ ...Fact, reason: v.string() }),
  "order.cancelled.v1": v.object({ ...Fact, reason: v.optional(v.string()) }),
  "order.returned.v1": v.object({ ...Fact, reason: v.string() }),
  /** A cancel was accepted; the order ends `cancelled` once everything is undone. */
  "order.cancel-requested.v1": v.object(Fact),
  /** The customer sends it back; the order ends `returned` once the parcel has arrived. */
  "order.return-requested.v1": v.object({ ...Fact, workflowId: v.string() }),
  /** Only a part of the stock is there: the customer is asked. */
  "order.decision-asked.v1": v.object({ ...Fact, lines: v.array(PartialLine), until: v.string() }),
  "order.decided.v1": v.object({ ...Fact, choice: Choice }),
  /** The customer took a part: `lines`, `total` and `charges` are those of the part. */
  "order.lines-changed.v1": v.object({ ...Fact, lines: v.array(OrderLine), charges: v.optional(Charges) }),
  "order.address-changed.v1": v.object({ ...Fact, address: Address }),
  /** An undo was refused for good; it waits for somebody to have it tried again. */
  "order.needs-attention.v1": v.object({ ...Fact, undoFailures: v.array(UndoFailure) }),
};

/** What the topics `orders` and `orders/<id>` carry, as `order.changed`: the status an order has just come to. */
export interface OrderChanged {
  readonly orderId: string;
  readonly status: OrderStatus;
  readonly at: string;
  /** Why it was rejected, cancelled or returned. */
  readonly reason?: string;
}
