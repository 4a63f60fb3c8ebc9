import * as v from "valibot";
import { OrderId } from "#actors/shop/order/messages.ts";
import { PaymentView } from "#actors/shop/payment/messages.ts";
import { Payment } from "#actors/shop/payment/payment.ts";
import { endpoint, endpoints, notFound } from "#infra/http/endpoint.ts";
import type { ShopDeps } from "./deps.ts";

/** The payment of an order. */
export function paymentRoutes({ troupe }: Pick<ShopDeps, "troupe">) {
  return endpoints("payments", [
    endpoint(
      {
        tag: "Orders",
        noun: "payment",
        scope: "orders",
        method: "GET",
        path: "/payments/:orderId",
        summary: "Show the payment of an order",
        params: v.object({ orderId: OrderId }),
        answer: { status: 200, description: "The payment", schema: PaymentView },
      },
      async ({ params: { orderId }, look }) => {
        const payment = await troupe().ref(Payment, orderId).get(undefined, look);
        if (payment === null) throw notFound("payment");
        return payment;
      },
    ),
  ]);
}
