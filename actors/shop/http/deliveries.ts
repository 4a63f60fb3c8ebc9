import * as v from "valibot";
import { Delivery } from "#actors/shop/delivery/delivery.ts";
import { CourierUpdate, DeliveryView } from "#actors/shop/delivery/messages.ts";
import { OrderId } from "#actors/shop/order/messages.ts";
import { endpoint, endpoints, notFound } from "#infra/http/endpoint.ts";
import type { ShopDeps } from "./deps.ts";
import { SHOP_REFUSALS } from "./refusals.ts";

/** The delivery of an order. */
export function deliveryRoutes({ troupe }: Pick<ShopDeps, "troupe">) {
  return endpoints("deliveries", [
    endpoint(
      {
        tag: "Orders",
        noun: "delivery",
        refusals: SHOP_REFUSALS.delivery,
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

    endpoint(
      {
        tag: "Orders",
        noun: "delivery",
        refusals: SHOP_REFUSALS.delivery,
        scope: "orders",
        method: "POST",
        path: "/deliveries/:orderId/updates",
        summary: "Tell where a parcel is",
        description:
          "The courier's door. A repeated or late update changes nothing; one that cannot be is refused. `attempt_failed` three times sends the parcel back.",
        params: v.object({ orderId: OrderId }),
        body: CourierUpdate,
        answer: { status: 200, description: "The delivery as it is now", schema: DeliveryView },
        problems: [409],
      },
      ({ params: { orderId }, body, call }) => troupe().ref(Delivery, orderId).update(body, call),
    ),
  ]);
}
