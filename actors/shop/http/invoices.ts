import * as v from "valibot";
import { Invoice } from "#actors/shop/invoice/invoice.ts";
import { InvoiceView } from "#actors/shop/invoice/messages.ts";
import { OrderId } from "#actors/shop/order/messages.ts";
import { endpoint, endpoints, notFound } from "#infra/http/endpoint.ts";
import type { ShopDeps } from "./deps.ts";

/** The invoice of an order. */
export function invoiceRoutes({ troupe }: Pick<ShopDeps, "troupe">) {
  return endpoints("invoices", [
    endpoint(
      {
        tag: "Orders",
        noun: "invoice",
        scope: "orders",
        method: "GET",
        path: "/invoices/:orderId",
        summary: "Show the invoice of an order",
        params: v.object({ orderId: OrderId }),
        answer: { status: 200, description: "The invoice", schema: InvoiceView },
      },
      async ({ params: { orderId }, look }) => {
        const invoice = await troupe().ref(Invoice, orderId).get(undefined, look);
        if (invoice === null) throw notFound("invoice");
        return invoice;
      },
    ),
  ]);
}
