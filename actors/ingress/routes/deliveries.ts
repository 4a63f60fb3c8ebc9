import * as v from "valibot";
import { Delivery } from "#actors/delivery/delivery.ts";
import { DeliveryView } from "#actors/delivery/messages.ts";
import { OrderId } from "#actors/order/messages.ts";
import type { IngressDeps } from "../deps.ts";
import { endpoint, endpoints, notFound } from "../endpoint.ts";

/** The delivery of an order. */
export function deliveryRoutes({ troupe }: Pick<IngressDeps, "troupe">) {
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
