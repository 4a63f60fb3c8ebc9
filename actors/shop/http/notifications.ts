import * as v from "valibot";
import { Notifications } from "#actors/shop/notification/messages.ts";
import { Notification } from "#actors/shop/notification/notification.ts";
import { endpoint, endpoints } from "#infra/http/endpoint.ts";
import type { ShopDeps } from "./deps.ts";

const CustomerId = v.pipe(v.string(), v.minLength(1), v.maxLength(100));

/** What customers were told. */
export function notificationRoutes({ troupe }: Pick<ShopDeps, "troupe">) {
  return endpoints("notifications", [
    endpoint(
      {
        tag: "Orders",
        noun: "notification",
        scope: "orders",
        method: "GET",
        path: "/notifications/:customerId",
        summary: "Show the last notifications of a customer",
        description: "The last fifty, newest first; none where nothing was told yet.",
        params: v.object({ customerId: CustomerId }),
        answer: { status: 200, description: "The notifications", schema: Notifications },
      },
      ({ params: { customerId }, look }) => troupe().ref(Notification, customerId).list(undefined, look),
    ),
  ]);
}
