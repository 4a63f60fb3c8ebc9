import * as v from "valibot";
import { Currency } from "#actors/shop/money/messages.ts";
import { Product, RefillStock, Sku, StockLevel } from "#actors/shop/stock/messages.ts";
import { Stock } from "#actors/shop/stock/stock.ts";
import { endpoint, endpoints, notFound } from "#infra/http/endpoint.ts";
import { PageQuery, pageOf, readPage } from "#infra/http/listing.ts";
import type { ShopDeps } from "./deps.ts";
import { SHOP_REFUSALS } from "./refusals.ts";

const Listed = v.object({ sku: v.string(), name: v.string(), price: v.number(), currency: v.string() });
const PutProduct = v.strictObject({ ...Product.entries, currency: v.optional(Currency, "EUR") });
const BySku = v.object({ sku: Sku });

/** Products, and how many pieces there are of each. Who may order sets no price and counts no pieces: that is for `admin`. */
export function productRoutes({ troupe }: Pick<ShopDeps, "troupe">) {
  return endpoints("products", [
    endpoint(
      {
        tag: "Products",
        noun: "product",
        scope: "orders",
        method: "GET",
        path: "/products",
        tagged: true,
        summary: "List products",
        query: v.strictObject(PageQuery),
        answer: { status: 200, description: "A page, in order of the SKU", schema: pageOf(Listed) },
      },
      ({ query }) =>
        readPage(
          (page) => troupe().list(Stock, page),
          query,
          ({ key, state }) => (state.product === null ? undefined : { sku: key, ...state.product }),
        ),
    ),

    endpoint(
      {
        tag: "Products",
        noun: "product",
        scope: "admin",
        method: "PUT",
        path: "/products/:sku",
        summary: "Create or change a product",
        description: "`price` is in minor units, as in `450` for 4.50. The count of pieces stays as it is.",
        params: BySku,
        unfitPath: 422,
        body: PutProduct,
        answer: { status: 200, description: "The product as it is now", schema: Listed },
      },
      async ({ params: { sku }, body, call }) => ({ sku, ...(await troupe().ref(Stock, sku).putProduct(body, call)) }),
    ),

    endpoint(
      {
        tag: "Stock",
        noun: "stock",
        refusals: SHOP_REFUSALS.stock,
        scope: "admin",
        method: "POST",
        path: "/stock/:sku/refill",
        summary: "Add pieces",
        params: BySku,
        body: RefillStock,
        answer: { status: 200, description: "The count as it is now", schema: StockLevel },
      },
      ({ params: { sku }, body, call }) => troupe().ref(Stock, sku).refill(body, call),
    ),

    endpoint(
      {
        tag: "Stock",
        noun: "stock",
        refusals: SHOP_REFUSALS.stock,
        scope: "orders",
        method: "GET",
        path: "/stock/:sku",
        tagged: true,
        summary: "Count the pieces of a product",
        params: BySku,
        answer: { status: 200, description: "On hand, reserved, and what is left to reserve", schema: StockLevel },
      },
      async ({ params: { sku }, look }) => {
        const level = await troupe().ref(Stock, sku).level(undefined, look);
        if (level === null) throw notFound("stock");
        return level;
      },
    ),
  ]);
}
