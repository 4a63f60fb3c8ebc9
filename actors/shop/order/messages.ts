import * as v from "valibot";
import { Address } from "#actors/shop/delivery/messages.ts";
import { PaymentToken } from "#actors/shop/payment/messages.ts";
import { Currency, Price, Sku } from "#actors/shop/stock/messages.ts";

/** The key of an order actor, as in `ord_0199…`. */
export const OrderId = v.pipe(v.string(), v.regex(/^ord_[A-Za-z0-9-]{1,64}$/, "must look like ord_…"));

/** Pieces of one line. With the bound of prices and of lines it keeps every total a safe integer. */
const LineQuantity = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1_000_000));

/** The fields of an order as a customer sends it. */
export const PlaceOrderFields = v.strictObject({
  /** Needed with `lines`; an order of `amount` alone belongs to `guest` without it. */
  customerId: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(100))),
  lines: v.optional(
    v.pipe(v.array(v.strictObject({ sku: Sku, quantity: LineQuantity })), v.minLength(1), v.maxLength(100)),
  ),
  /** Minor units: an order of one free line, for which no stock is held. */
  amount: v.optional(v.pipe(Price, v.minValue(1))),
  /** Of `amount`; lines bring their own. Default `EUR`. */
  currency: v.optional(Currency),
  paymentToken: v.optional(PaymentToken, "tok_ok"),
  address: v.optional(Address),
});

/** Places an order: of `lines` with a `customerId`, or of an `amount` alone. Carries no prices: the order asks the stock. */
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
);
export type PlaceOrder = v.InferInput<typeof PlaceOrder>;

/** Where an order stands: `placed → reserved → paid → shipped → delivered`, or `rejected`, or `cancelled`. */
export const OrderStatus = v.picklist(["placed", "reserved", "paid", "shipped", "delivered", "rejected", "cancelled"]);
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
export const RejectOrder = v.object({ reason: v.string() });

/** What the saga is told after each of its marks. */
export const OrderMarked = v.object({ status: OrderStatus, cancelRequested: v.boolean() });
export type OrderMarked = v.InferOutput<typeof OrderMarked>;

/** The answer to a cancel; a repeated cancel gets the same one. */
export const CancelAccepted = v.object({
  orderId: v.string(),
  cancelRequested: v.literal(true),
  cancelRequestedAt: v.string(),
});

/** What `GET /orders/:id` shows of the order itself. Times are RFC 3339. */
export const OrderView = v.object({
  orderId: v.string(),
  customerId: v.string(),
  status: OrderStatus,
  reason: v.optional(v.string()),
  lines: v.array(OrderLine),
  total: v.number(),
  currency: v.string(),
  address: v.nullable(Address),
  workflowId: v.string(),
  cancelRequested: v.boolean(),
  history: v.array(v.object({ status: OrderStatus, at: v.string() })),
});
export type OrderView = v.InferOutput<typeof OrderView>;

const Fact = v.object({
  orderId: v.string(),
  customerId: v.string(),
  status: OrderStatus,
  total: v.number(),
  currency: v.string(),
});

/** Events of an order actor, by wire name: its journal. Each is emitted at most once in the life of an order. */
export const orderEvents = {
  "order.placed.v1": v.object({ ...Fact.entries, lines: v.array(OrderLine), address: v.nullable(Address) }),
  "order.reserved.v1": Fact,
  "order.paid.v1": Fact,
  "order.shipped.v1": Fact,
  "order.delivered.v1": Fact,
  "order.rejected.v1": v.object({ ...Fact.entries, reason: v.string() }),
  "order.cancelled.v1": Fact,
  /** A cancel was accepted; the order ends `cancelled` once everything is undone. */
  "order.cancel-requested.v1": Fact,
};

/** What the topics `orders` and `orders/<id>` carry, as `order.changed`: the status an order has just come to. */
export interface OrderChanged {
  readonly orderId: string;
  readonly status: OrderStatus;
  readonly at: string;
  /** Why it was rejected. */
  readonly reason?: string;
}
