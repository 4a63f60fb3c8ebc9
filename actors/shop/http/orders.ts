import * as v from "valibot";
import { Delivery } from "#actors/shop/delivery/delivery.ts";
import { DeliveryView } from "#actors/shop/delivery/messages.ts";
import { Invoice } from "#actors/shop/invoice/invoice.ts";
import { InvoiceView } from "#actors/shop/invoice/messages.ts";
import { Country, Currency } from "#actors/shop/money/messages.ts";
import { OrderPlaced, OrderStatus, OrderView, PlaceOrder, PlaceOrderFields } from "#actors/shop/order/messages.ts";
import { Order } from "#actors/shop/order/order.ts";
import { PaymentView } from "#actors/shop/payment/messages.ts";
import { Payment } from "#actors/shop/payment/payment.ts";
import { Sku } from "#actors/shop/stock/messages.ts";
import { endpoint, endpoints, Reply } from "#infra/http/endpoint.ts";
import { TimeMs } from "#infra/http/fields.ts";
import { derivedId } from "#infra/http/idempotency.ts";
import { describedBy, jsonSchemaOf } from "#infra/http/json-schema.ts";
import { PageQuery, pageOf } from "#infra/http/listing.ts";
import { newId } from "#runtime";
import type { ShopDeps } from "./deps.ts";
import { ABOUT, ByOrderId, OrderLinks, orderLookUps } from "./order-parts.ts";

const Fields = jsonSchemaOf(PlaceOrderFields, "input");
/** With what the checks across fields say, for the document. */
const Ordered = v.pipe(
  PlaceOrder,
  describedBy({
    ...Fields,
    oneOf: [
      { required: ["amount"], properties: { lines: false } },
      { required: ["lines", "customerId"], properties: { amount: false } },
    ],
  }),
);
const Placed = v.object({ ...OrderPlaced.entries, links: OrderLinks });
const Detail = v.object({
  ...OrderView.entries,
  payment: v.nullable(PaymentView),
  delivery: v.nullable(DeliveryView),
  invoice: v.nullable(InvoiceView),
  links: OrderLinks,
});
const Summary = v.object({
  orderId: v.string(),
  customerId: v.string(),
  status: OrderStatus,
  reason: v.optional(v.string()),
  total: v.number(),
  currency: v.string(),
  placedAt: v.string(),
});
/** When the last order of the page before was placed, and its id, as in `1763715600000.ord_42`. */
const Cursor = v.optional(
  v.pipe(
    v.string(),
    v.regex(/^[0-9]{1,15}\.ord_[A-Za-z0-9-]{1,64}$/, "must be the next of a page"),
    v.transform((text) => ({ placedMs: Number.parseInt(text, 10), id: text.slice(text.indexOf(".") + 1) })),
  ),
);

const Minor = v.pipe(
  v.string(),
  v.regex(/^[0-9]{1,15}$/, "must be a whole number of minor units"),
  v.transform(Number),
);

/** Placing and showing orders. */
export function orderRoutes({ troupe, orders, links }: Pick<ShopDeps, "troupe" | "orders" | "links">) {
  const { known, linksOf } = orderLookUps({ troupe, links });

  return endpoints("orders", [
    endpoint(
      {
        ...ABOUT,
        method: "POST",
        path: "/orders",
        summary: "Place an order",
        description:
          "Either `lines` with a `customerId`, or an `amount` alone. With an Idempotency-Key every repeat answers with the one order.",
        body: Ordered,
        answer: { status: 201, description: "Placed; its workflow starts", schema: Placed },
        problems: [409],
      },
      async ({ body, key, call }) => {
        // The id comes from the key, so that twins meet in the one actor that can tell them apart.
        const orderId = key === undefined ? newId("ord") : derivedId("ord", "POST /orders", key);
        const placed = await troupe().ref(Order, orderId).place(body, call);
        return new Reply(
          201,
          { ...placed, links: linksOf(orderId, placed.workflowId) },
          { location: `/orders/${orderId}` },
        );
      },
    ),

    endpoint(
      {
        ...ABOUT,
        method: "GET",
        path: "/orders",
        tagged: true,
        summary: "List orders",
        description:
          "Newest first, from a read model that follows the orders' events: what was placed or changed a moment ago may not be in it yet. `q`: words, or their beginnings, of the id, customer, products and address; totals in minor units; `from` and `to` are times (RFC 3339) of placing. All filters hold.",
        query: v.strictObject({
          status: v.optional(OrderStatus),
          customerId: v.optional(v.string()),
          q: v.optional(v.pipe(v.string(), v.maxLength(200))),
          sku: v.optional(Sku),
          country: v.optional(Country),
          currency: v.optional(Currency),
          minTotal: v.optional(Minor),
          maxTotal: v.optional(Minor),
          from: v.optional(TimeMs),
          to: v.optional(TimeMs),
          ...PageQuery,
          cursor: Cursor,
        }),
        answer: { status: 200, description: "A page", schema: pageOf(Summary) },
      },
      async ({ query: { q, from, to, limit, cursor, ...filters } }) => {
        // One more than asked for tells whether there is a next page.
        const found = await orders().page({
          ...filters,
          text: q,
          fromMs: from,
          toMs: to,
          limit: limit + 1,
          after: cursor,
        });
        const items = found.slice(0, limit);
        const last = found.length > limit ? items.at(-1) : undefined;
        return { items, next: last === undefined ? null : `${Date.parse(last.placedAt)}.${last.orderId}` };
      },
    ),

    endpoint(
      {
        ...ABOUT,
        method: "GET",
        path: "/orders/:id",
        tagged: true,
        summary: "Show an order with its history, payment, delivery and invoice",
        params: ByOrderId,
        answer: { status: 200, description: "The order", schema: Detail },
      },
      async ({ params: { id }, look }) => {
        const order = await known(id, look);
        const [payment, delivery, invoice] = await Promise.all([
          troupe().ref(Payment, id).get(undefined, look),
          troupe().ref(Delivery, id).get(undefined, look),
          troupe().ref(Invoice, id).get(undefined, look),
        ]);
        return { ...order, payment, delivery, invoice, links: linksOf(id, order.workflowId) };
      },
    ),
  ]);
}
