import * as v from "valibot";
import { Delivery } from "#actors/shop/delivery/delivery.ts";
import { DeliveryView } from "#actors/shop/delivery/messages.ts";
import { Invoice } from "#actors/shop/invoice/invoice.ts";
import { InvoiceView } from "#actors/shop/invoice/messages.ts";
import { Country, Currency } from "#actors/shop/money/messages.ts";
import {
  CancelAccepted,
  ChangeOrderAddress,
  Decide,
  OrderId,
  OrderPlaced,
  OrderStatus,
  OrderView,
  PlaceOrder,
  PlaceOrderFields,
  ReturnAccepted,
  UndoFailure,
} from "#actors/shop/order/messages.ts";
import { Order } from "#actors/shop/order/order.ts";
import { PaymentView } from "#actors/shop/payment/messages.ts";
import { Payment } from "#actors/shop/payment/payment.ts";
import { Sku } from "#actors/shop/stock/messages.ts";
import { endpoint, endpoints, notFound, Reply } from "#infra/http/endpoint.ts";
import { TimeMs } from "#infra/http/fields.ts";
import { derivedId } from "#infra/http/idempotency.ts";
import { describedBy, jsonSchemaOf } from "#infra/http/json-schema.ts";
import { PageQuery, pageOf } from "#infra/http/listing.ts";
import { WorkflowClientError } from "#infra/temporal/client-error.ts";
import { type CallOptions, newId, RefusedError } from "#runtime";
import { fulfilOrderUpdates } from "#workflows/fulfil-order/messages.ts";
import { workflowIds } from "#workflows/workflow-ids.ts";
import type { ShopDeps } from "./deps.ts";
import { SHOP_REFUSALS } from "./refusals.ts";

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
const Links = v.object({ self: v.string(), temporal: v.nullable(v.string()) });
const Placed = v.object({ ...OrderPlaced.entries, links: Links });
const Cancelled = v.object({ ...CancelAccepted.entries, links: Links });
const Detail = v.object({
  ...OrderView.entries,
  payment: v.nullable(PaymentView),
  delivery: v.nullable(DeliveryView),
  invoice: v.nullable(InvoiceView),
  links: Links,
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
const ById = v.object({ id: OrderId });
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

const about = { tag: "Orders", noun: "order", refusals: SHOP_REFUSALS.order, scope: "orders" } as const;

const Updated = v.object({
  orderId: v.string(),
  status: OrderStatus,
  undoFailures: v.optional(v.array(UndoFailure)),
  links: Links,
});
const Returning = v.object({ ...ReturnAccepted.entries, links: Links });

/** Placing, showing and changing orders. */
export function orderRoutes({
  troupe,
  orders,
  workflows,
  links,
}: Pick<ShopDeps, "troupe" | "orders" | "workflows" | "links">) {
  /** Has the order's running workflow take an update. What it refuses, or is too late for, is refused by the order's name. */
  async function update(
    order: v.InferOutput<typeof OrderView>,
    workflowId: string,
    name: string,
    input: unknown,
    key: string | undefined,
    late: string,
  ): Promise<v.InferInput<typeof Updated>> {
    const { orderId } = order;
    try {
      const answer = v.parse(Updated, {
        ...((await workflows().update(workflowId, name, input, key)) as object),
        links: linksOf(orderId, workflowId),
      });
      return answer;
    } catch (error) {
      if (!(error instanceof WorkflowClientError)) throw error;
      // It has ended meanwhile, or said no: what it knows is newer than what was looked at here.
      if (error.code === "workflow_failed" || error.code === "workflow_not_found")
        throw new RefusedError(error.reason ?? late, { orderId });
      throw error;
    }
  }

  const linksOf = (orderId: string, workflowId: string): v.InferOutput<typeof Links> => ({
    self: `/orders/${orderId}`,
    temporal: links.workflow(workflowId),
  });

  async function known(id: string, look: CallOptions): Promise<v.InferOutput<typeof OrderView>> {
    const order = await troupe().ref(Order, id).get(undefined, look);
    if (order === null) throw notFound("order");
    return order;
  }

  return endpoints("orders", [
    endpoint(
      {
        ...about,
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
        ...about,
        method: "GET",
        path: "/orders",
        summary: "List orders",
        description:
          "Newest first, from a read model that follows the orders' events: what was placed or changed a moment ago may not be in it yet. `q`: words, or their beginnings, of the id, customer, products and address; totals in minor units; `from` and `to` are times (RFC 3339) of placing. All filters hold.",
        query: v.object({
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
        ...about,
        method: "GET",
        path: "/orders/:id",
        summary: "Show an order with its history, payment, delivery and invoice",
        params: ById,
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

    endpoint(
      {
        ...about,
        method: "POST",
        path: "/orders/:id/cancel",
        summary: "Cancel an order",
        description:
          "Allowed until it is shipped. What was done is undone; follow the order to see it end as `cancelled`.",
        params: ById,
        answer: { status: 202, description: "Accepted; the undo is on its way", schema: Cancelled },
        problems: [409],
      },
      async ({ params: { id }, call, look }) => {
        const order = await known(id, look);
        const accepted = await troupe().ref(Order, id).cancel(undefined, call);
        return { ...accepted, links: linksOf(id, order.workflowId) };
      },
    ),

    endpoint(
      {
        ...about,
        method: "POST",
        path: "/orders/:id/address",
        summary: "Send an order elsewhere",
        description: "Allowed until the courier has the parcel, and within the country the order was taxed for.",
        params: ById,
        body: ChangeOrderAddress,
        answer: { status: 200, description: "The order goes there now", schema: Updated },
        problems: [409],
      },
      async ({ params: { id }, body, key, look }) => {
        const order = await known(id, look);
        const objection = await troupe().ref(Order, id).addressObjection(body, look);
        if (objection !== null) throw new RefusedError(objection, { orderId: id });
        return await update(order, order.workflowId, fulfilOrderUpdates.changeAddress, body, key, "already_shipped");
      },
    ),

    endpoint(
      {
        ...about,
        method: "POST",
        path: "/orders/:id/decide",
        summary: "Decide what becomes of an order of which only a part is in stock",
        description:
          "`accept` the part, `wait` for the rest (a day at most), or `cancel`. Without an answer until `decision.until` the order is turned down.",
        params: ById,
        body: Decide,
        answer: { status: 200, description: "Decided", schema: Updated },
        problems: [409],
      },
      async ({ params: { id }, body, key, look }) => {
        const order = await known(id, look);
        const choice = order.decision?.choice;
        if (order.status !== "placed" || (choice !== null && choice !== "wait"))
          throw new RefusedError("nothing_to_decide", { orderId: id });
        return await update(order, order.workflowId, fulfilOrderUpdates.decide, body, key, "nothing_to_decide");
      },
    ),

    endpoint(
      {
        ...about,
        method: "POST",
        path: "/orders/:id/return",
        summary: "Send a delivered order back",
        description:
          "Allowed for 30 days. The courier fetches it; when it has arrived, the pieces are back in stock, the money is given back with a credit note, and the order is `returned`.",
        params: ById,
        answer: { status: 202, description: "Accepted; the courier fetches it", schema: Returning },
        problems: [409],
      },
      async ({ params: { id }, call, look }) => {
        await known(id, look);
        const accepted = await troupe().ref(Order, id).requestReturn(undefined, call);
        return { ...accepted, links: linksOf(id, accepted.workflowId) };
      },
    ),

    endpoint(
      {
        ...about,
        method: "POST",
        path: "/orders/:id/retry-undo",
        summary: "Have what could not be undone tried again",
        description: "Of an order that is `needs_attention`. Answers when the try is over, with what is still left.",
        params: ById,
        answer: { status: 200, description: "Tried", schema: Updated },
        problems: [409],
      },
      async ({ params: { id }, key, look }) => {
        const order = await known(id, look);
        if (order.status !== "needs_attention") throw new RefusedError("nothing_to_retry", { orderId: id });
        const workflowId = order.returnRequested ? workflowIds.returnOrder(id) : order.workflowId;
        return await update(order, workflowId, fulfilOrderUpdates.retryUndo, undefined, key, "nothing_to_retry");
      },
    ),
  ]);
}
