import * as v from "valibot";
import { Delivery } from "#actors/shop/delivery/delivery.ts";
import { DeliveryView } from "#actors/shop/delivery/messages.ts";
import { OrderId } from "#actors/shop/order/messages.ts";
import { endpoint, endpoints, notFound } from "#infra/http/endpoint.ts";
import type { ShopDeps } from "./deps.ts";

/** The delivery of an order. */
export function deliveryRoutes({ troupe }: Pick<ShopDeps, "troupe">) {
  return endpoints("deliveries", [
    endpoint(
      {
        tag: "Orders",
        noun: "delivery",
        scope: "orders",
        method: "GET",
        path: "/deliveries/:orderId",
        summary: "Show the delivery of an order",
        params: v.object({ orderId: OrderId }),
        answer: { status: 200, description: "The delivery", schema: DeliveryView },
      },
      async ({ params: { orderId }, look }) => {
        const delivery = await troupe().ref(Delivery, orderId).get(undefined, look);
        if (delivery === null) throw notFound("delivery");
        return delivery;
      },
    ),
  ]);
}
