import * as v from "valibot";
import { Notifications, ReadNotices } from "#actors/shop/notification/messages.ts";
import { Notification } from "#actors/shop/notification/notification.ts";
import { CustomerId } from "#actors/shop/order/messages.ts";
import { endpoint, endpoints } from "#infra/http/endpoint.ts";
import type { ShopDeps } from "./deps.ts";

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
        description:
          "All that is unread and the last fifty, newest first; none where nothing was told yet. The topic `notifications/<customerId>` brings each as it comes; where the id holds other characters than letters, digits, `_` and `-`, `notifications/sha256:` and the first 32 digits of its SHA-256 in hex.",
        params: v.object({ customerId: CustomerId }),
        answer: { status: 200, description: "The notifications", schema: Notifications },
      },
      ({ params: { customerId }, look }) => troupe().ref(Notification, customerId).list(undefined, look),
    ),

    endpoint(
      {
        tag: "Orders",
        noun: "notification",
        scope: "orders",
        method: "POST",
        path: "/notifications/:customerId/read",
        summary: "Mark notifications as read",
        description: "`ids` of notifications, or `all`. What is unread is kept; of what was read, the last fifty.",
        params: v.object({ customerId: CustomerId }),
        body: ReadNotices,
        answer: { status: 200, description: "The notifications as they are now", schema: Notifications },
      },
      ({ params: { customerId }, body, call }) => troupe().ref(Notification, customerId).read(body, call),
    ),
  ]);
}
