/** What all routes about one order share. */
import * as v from "valibot";
import { OrderId, type OrderView } from "#actors/shop/order/messages.ts";
import { Order } from "#actors/shop/order/order.ts";
import { notFound } from "#infra/http/endpoint.ts";
import type { CallOptions } from "#runtime";
import type { ShopDeps } from "./deps.ts";
import { SHOP_REFUSALS } from "./refusals.ts";

export const ABOUT = { tag: "Orders", noun: "order", refusals: SHOP_REFUSALS.order, scope: "orders" } as const;
export const ByOrderId = v.object({ id: OrderId });
export const OrderLinks = v.object({ self: v.string(), temporal: v.nullable(v.string()) });

/** An order looked up for a route, and the links of its answer. */
export function orderLookUps({ troupe, links }: Pick<ShopDeps, "troupe" | "links">) {
  return {
    /** @throws {Problem} 404: there is no such order. */
    async known(id: string, look: CallOptions): Promise<v.InferOutput<typeof OrderView>> {
      const order = await troupe().ref(Order, id).get(undefined, look);
      if (order === null) throw notFound("order");
      return order;
    },
    linksOf: (orderId: string, workflowId: string): v.InferOutput<typeof OrderLinks> => ({
      self: `/orders/${orderId}`,
      temporal: links.workflow(workflowId),
    }),
  };
}
