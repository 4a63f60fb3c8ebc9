import * as v from "valibot";
import { Address } from "../delivery/messages.ts";
import { Currency, Price } from "../money/messages.ts";
import { CustomerId, orderEvents, OrderStatus } from "../order/messages.ts";

export { CustomerId };

/** What a customer may order. `null`: as much as anybody. */
export const CustomerLimits = v.object({
  maxOrderTotal: v.nullable(v.number()),
  currency: v.string(),
  maxOpenOrders: v.nullable(v.number()),
});
export type CustomerLimits = v.InferOutput<typeof CustomerLimits>;

/** Limits as they are set; what is left out is not limited. */
export const PutLimits = v.strictObject({
  /** The largest total of one order, in minor units of `currency`; orders in other currencies are not held to it. */
  maxOrderTotal: v.optional(v.nullable(v.pipe(Price, v.minValue(1))), null),
  currency: v.optional(Currency, "EUR"),
  /** Orders under way at once. */
  maxOpenOrders: v.optional(v.nullable(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1_000))), null),
});

/** No limits. */
export const NO_LIMITS: CustomerLimits = { maxOrderTotal: null, currency: "EUR", maxOpenOrders: null };

/** What is kept of a customer. */
export const PutCustomer = v.strictObject({
  name: v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(200))),
  email: v.optional(v.pipe(v.string(), v.maxLength(254), v.email("must look like ann@example.com"))),
  /** Where orders go that name no address. */
  address: v.optional(Address),
  limits: v.optional(PutLimits, {}),
});

/** One order in the history of a customer. Times are RFC 3339. */
export const CustomerOrder = v.object({
  orderId: v.string(),
  status: OrderStatus,
  total: v.number(),
  currency: v.string(),
  placedAt: v.string(),
});

/** What `GET /customers/:id` shows. `orders` are the last hundred, newest first. */
export const CustomerView = v.object({
  customerId: v.string(),
  name: v.optional(v.string()),
  email: v.optional(v.string()),
  address: v.nullable(Address),
  limits: CustomerLimits,
  openOrders: v.number(),
  orders: v.array(CustomerOrder),
});
export type CustomerView = v.InferOutput<typeof CustomerView>;

/** What an order has to know of its customer. */
export const CustomerTerms = v.object({
  address: v.nullable(Address),
  limits: CustomerLimits,
  openOrders: v.number(),
});
export type CustomerTerms = v.InferOutput<typeof CustomerTerms>;

/** An order of this customer came to a status. */
export const NoteOrder = v.object({
  ...orderEvents["order.shipped.v1"].entries,
  /** When, RFC 3339. */
  at: v.string(),
});
export type NoteOrder = v.InferOutput<typeof NoteOrder>;
