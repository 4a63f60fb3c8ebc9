import * as v from "valibot";
import {
  CancelAccepted,
  ChangeOrderAddress,
  Decide,
  OrderStatus,
  type OrderView,
  ReturnAccepted,
  UndoFailure,
} from "#actors/shop/order/messages.ts";
import { Order } from "#actors/shop/order/order.ts";
import { endpoint, endpoints } from "#infra/http/endpoint.ts";
import { WorkflowClientError } from "#infra/temporal/client-error.ts";
import { RefusedError } from "#runtime";
import { fulfilOrderUpdates } from "#workflows/fulfil-order/messages.ts";
import { workflowIds } from "#workflows/workflow-ids.ts";
import type { ShopDeps, UpdateOnce } from "./deps.ts";
import { ABOUT, ByOrderId, OrderLinks, orderLookUps } from "./order-parts.ts";

const Cancelled = v.object({ ...CancelAccepted.entries, links: OrderLinks });
const Updated = v.object({
  orderId: v.string(),
  status: OrderStatus,
  undoFailures: v.optional(v.array(UndoFailure)),
  links: OrderLinks,
});
const Returning = v.object({ ...ReturnAccepted.entries, links: OrderLinks });

const onceOf = (key: string | undefined, { traceparent }: { readonly traceparent: string }): UpdateOnce => ({
  updateId: key,
  traceparent,
});

/** What may still be done with an order that was placed. */
export function orderChangeRoutes({ troupe, workflows, links }: Pick<ShopDeps, "troupe" | "workflows" | "links">) {
  const { known, linksOf } = orderLookUps({ troupe, links });

  /** Has the order's running workflow take an update. What it refuses, or is too late for, is refused by the order's name. */
  async function update(
    order: v.InferOutput<typeof OrderView>,
    workflowId: string,
    name: string,
    input: unknown,
    once: UpdateOnce,
    late: string,
  ): Promise<v.InferInput<typeof Updated>> {
    const { orderId } = order;
    try {
      const answer = v.parse(Updated, {
        ...((await workflows().update(workflowId, name, input, once)) as object),
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

  return endpoints("order-changes", [
    endpoint(
      {
        ...ABOUT,
        method: "POST",
        path: "/orders/:id/cancel",
        summary: "Cancel an order",
        description:
          "Allowed until it is shipped. What was done is undone; follow the order to see it end as `cancelled`.",
        params: ByOrderId,
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
        ...ABOUT,
        method: "POST",
        path: "/orders/:id/address",
        summary: "Send an order elsewhere",
        description: "Allowed until the courier has the parcel, and within the country the order was taxed for.",
        params: ByOrderId,
        body: ChangeOrderAddress,
        answer: { status: 200, description: "The order goes there now", schema: Updated },
        problems: [409],
      },
      async ({ params: { id }, body, key, look }) => {
        const order = await known(id, look);
        const objection = await troupe().ref(Order, id).addressObjection(body, look);
        if (objection !== null) throw new RefusedError(objection, { orderId: id });
        return await update(
          order,
          order.workflowId,
          fulfilOrderUpdates.changeAddress,
          body,
          onceOf(key, look),
          "already_shipped",
        );
      },
    ),

    endpoint(
      {
        ...ABOUT,
        method: "POST",
        path: "/orders/:id/decide",
        summary: "Decide what becomes of an order of which only a part is in stock",
        description:
          "`accept` the part, `wait` for the rest (a day at most), or `cancel`. Without an answer until `decision.until` the order is turned down.",
        params: ByOrderId,
        body: Decide,
        answer: { status: 200, description: "Decided", schema: Updated },
        problems: [409],
      },
      async ({ params: { id }, body, key, look }) => {
        const order = await known(id, look);
        const choice = order.decision?.choice;
        if (order.status !== "placed" || (choice !== null && choice !== "wait"))
          throw new RefusedError("nothing_to_decide", { orderId: id });
        return await update(
          order,
          order.workflowId,
          fulfilOrderUpdates.decide,
          body,
          onceOf(key, look),
          "nothing_to_decide",
        );
      },
    ),

    endpoint(
      {
        ...ABOUT,
        method: "POST",
        path: "/orders/:id/return",
        summary: "Send a delivered order back",
        description:
          "Allowed for 30 days. The courier fetches it; when it has arrived, the pieces are back in stock, the money is given back with a credit note, and the order is `returned`.",
        params: ByOrderId,
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
        ...ABOUT,
        method: "POST",
        path: "/orders/:id/retry-undo",
        summary: "Have what could not be undone tried again",
        description: "Of an order that is `needs_attention`. Answers when the try is over, with what is still left.",
        params: ByOrderId,
        answer: { status: 200, description: "Tried", schema: Updated },
        problems: [409],
      },
      async ({ params: { id }, key, look }) => {
        const order = await known(id, look);
        if (order.status !== "needs_attention") throw new RefusedError("nothing_to_retry", { orderId: id });
        const workflowId = order.returnRequested ? workflowIds.returnOrder(id) : order.workflowId;
        return await update(
          order,
          workflowId,
          fulfilOrderUpdates.retryUndo,
          undefined,
          onceOf(key, look),
          "nothing_to_retry",
        );
      },
    ),
  ]);
}
