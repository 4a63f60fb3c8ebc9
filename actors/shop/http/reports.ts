import * as v from "valibot";
import { InvariantView } from "#actors/shop/auditor/messages.ts";
import { Sku } from "#actors/shop/stock/messages.ts";
import { endpoint, endpoints } from "#infra/http/endpoint.ts";
import { durationUpTo, TimeMs } from "#infra/http/fields.ts";
import { PageQuery, pageOf } from "#infra/http/listing.ts";
import { durationMs } from "#runtime";
import type { ShopDeps } from "./deps.ts";
import { SHOP_REFUSALS } from "./refusals.ts";

const HOUR_MS = 3_600_000;
const Grace = v.pipe(
  durationUpTo("7d"),
  v.transform((text) => durationMs(text as "30s")),
);
const SalesHour = v.object({
  hour: v.string(),
  currency: v.string(),
  orders: v.number(),
  sold: v.number(),
  refunded: v.number(),
});
const ListedStock = v.object({
  sku: v.string(),
  name: v.nullable(v.string()),
  onHand: v.number(),
  reserved: v.number(),
  available: v.number(),
  shipped: v.number(),
});

/** Figures of the shop as a whole, from its read model. */
export function reportRoutes({ reports, audit }: Pick<ShopDeps, "reports" | "audit">) {
  return endpoints("reports", [
    endpoint(
      {
        tag: "Reports",
        noun: "sales",
        scope: "orders",
        method: "GET",
        path: "/sales",
        summary: "Show what was sold per hour",
        description:
          "Hours (UTC) from `from` to before `to`, oldest first; the last 24 by default. Minor units, by currency.",
        query: v.strictObject({ from: v.optional(TimeMs), to: v.optional(TimeMs), limit: PageQuery.limit }),
        answer: { status: 200, description: "The hours", schema: v.object({ items: v.array(SalesHour) }) },
      },
      async ({ query: { from, to, limit } }) => {
        const toMs = to ?? Date.now() + HOUR_MS;
        const fromMs = from ?? toMs - 25 * HOUR_MS;
        return { items: await reports().sales({ fromMs: fromMs - (fromMs % HOUR_MS), toMs, limit }) };
      },
    ),

    endpoint(
      {
        tag: "Stock",
        noun: "stock",
        refusals: SHOP_REFUSALS.stock,
        scope: "orders",
        method: "GET",
        path: "/stock",
        summary: "List the stock of every product",
        description: "In order of the SKU, from a read model. `below`: only what has fewer pieces available.",
        query: v.strictObject({
          below: v.optional(v.pipe(v.string(), v.regex(/^[0-9]{1,7}$/), v.transform(Number))),
          ...PageQuery,
          cursor: v.optional(Sku),
        }),
        answer: { status: 200, description: "A page", schema: pageOf(ListedStock) },
      },
      async ({ query: { below, limit, cursor } }) => {
        const found = await reports().stock({
          limit: limit + 1,
          ...(cursor === undefined ? {} : { after: cursor }),
          ...(below === undefined ? {} : { below }),
        });
        const items = found.slice(0, limit);
        return { items, next: found.length > limit ? (items.at(-1)?.sku ?? null) : null };
      },
    ),

    endpoint(
      {
        tag: "Reports",
        noun: "invariants",
        scope: "orders",
        method: "GET",
        path: "/invariants",
        summary: "Check what must always hold",
        description:
          "Stock, reservations, money, documents, numbers, and orders that nobody works on. Services follow each other within moments: what changed within `grace` (30s) is not judged.",
        query: v.strictObject({ grace: v.optional(Grace) }),
        answer: { status: 200, description: "Every invariant", schema: v.object({ items: v.array(InvariantView) }) },
      },
      async ({ query: { grace } }) => {
        const items = await audit().check(grace);
        return { items: items.map((item) => ({ ...item, culprits: [...item.culprits] })) };
      },
    ),
  ]);
}
