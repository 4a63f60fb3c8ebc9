import * as v from "valibot";
import { Customer } from "#actors/shop/customer/customer.ts";
import { CustomerId, CustomerView, PutCustomer } from "#actors/shop/customer/messages.ts";
import { endpoint, endpoints } from "#infra/http/endpoint.ts";
import type { ShopDeps } from "./deps.ts";

const about = { tag: "Customers", noun: "customer", scope: "orders" } as const;
const ById = v.object({ id: CustomerId });

/** Who orders. */
export function customerRoutes({ troupe }: Pick<ShopDeps, "troupe">) {
  return endpoints("customers", [
    endpoint(
      {
        ...about,
        method: "GET",
        path: "/customers/:id",
        summary: "Show a customer with the last hundred orders",
        description: "A customer nobody has put is there as well: without a name, without limits.",
        params: ById,
        answer: { status: 200, description: "The customer", schema: CustomerView },
      },
      ({ params: { id }, look }) => troupe().ref(Customer, id).get(undefined, look),
    ),

    endpoint(
      {
        ...about,
        method: "PUT",
        path: "/customers/:id",
        summary: "Set who a customer is",
        description:
          "What is left out is unset. Orders without an address go to the customer's; `limits` hold for the next orders.",
        params: ById,
        unfitPath: 422,
        body: PutCustomer,
        answer: { status: 200, description: "The customer as it is now", schema: CustomerView },
      },
      ({ params: { id }, body, call }) => troupe().ref(Customer, id).put(body, call),
    ),
  ]);
}
