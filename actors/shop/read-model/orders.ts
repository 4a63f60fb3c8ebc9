import type { PostgresReadModel } from "#infra/postgres/projections/read-model.ts";
import type { Troupe } from "#runtime";
import type { OrderStatus } from "../order/messages.ts";
import { ORDERS, SETTLE_MS } from "./read-model.ts";
import { wordQuery } from "./words.ts";

/** An order in a list. */
export interface ListedOrder {
  readonly orderId: string;
  readonly customerId: string;
  readonly status: OrderStatus;
  readonly reason?: string;
  readonly total: number;
  readonly currency: string;
  readonly placedAt: string;
}

/** Which page of which orders. Filters are exact, and all of them hold; a page goes on behind `after`. */
export interface OrderQuery {
  readonly status?: OrderStatus | undefined;
  readonly customerId?: string | undefined;
  /** Words, or their beginnings, that occur in the id, the customer, the products or the address. */
  readonly text?: string | undefined;
  readonly sku?: string | undefined;
  readonly country?: string | undefined;
  readonly currency?: string | undefined;
  /** Minor units. */
  readonly minTotal?: number | undefined;
  readonly maxTotal?: number | undefined;
  /** Placed at this time or later, in milliseconds since the epoch. */
  readonly fromMs?: number | undefined;
  /** Placed before this time. */
  readonly toMs?: number | undefined;
  readonly limit: number;
  readonly after?: { readonly placedMs: number; readonly id: string } | undefined;
}

/** Lists of orders, newest first. */
export interface OrderLists {
  /** Fewer than `limit` orders: the list has come to its end. */
  page(query: OrderQuery): Promise<readonly ListedOrder[]>;
}

interface Row {
  readonly id: string;
  readonly customer_id: string;
  readonly status: OrderStatus;
  readonly reason: string | null;
  readonly total: number;
  readonly currency: string;
  readonly placed_ms: number;
}

/**
 * Lists from the read model. What was placed or changed through this node just before is waited for, 2 s at most; what
 * other nodes did may come a moment later.
 */
export function orderLists(reads: PostgresReadModel, troupe: () => Troupe): OrderLists {
  return {
    async page({ status, customerId, text, sku, country, currency, minTotal, maxTotal, fromMs, toMs, limit, after }) {
      const words = text === undefined ? undefined : wordQuery(text);
      if (text !== undefined && words === undefined) return []; // a text without a word: nothing has none of them
      await troupe().projectionSettled(ORDERS, SETTLE_MS);
      const rows = await reads.query(
        ORDERS,
        // The columns by their whole names: alone, placed_ms would be the number that is shown, which no index has.
        (sql) => sql<Row[]>`
          select id, customer_id, status, reason, total::float8 as total, currency, placed_ms::float8 as placed_ms from orders
          where true
            ${status === undefined ? sql`` : sql`and status = ${status}`}
            ${customerId === undefined ? sql`` : sql`and customer_id = ${customerId}`}
            ${words === undefined ? sql`` : sql`and words @@ ${words}::tsquery`}
            ${sku === undefined ? sql`` : sql`and exists (select 1 from order_skus s where s.sku = ${sku} and s.order_id = orders.id)`}
            ${country === undefined ? sql`` : sql`and country = ${country}`}
            ${currency === undefined ? sql`` : sql`and currency = ${currency}`}
            ${minTotal === undefined ? sql`` : sql`and total >= ${minTotal}::bigint`}
            ${maxTotal === undefined ? sql`` : sql`and total <= ${maxTotal}::bigint`}
            ${fromMs === undefined ? sql`` : sql`and placed_ms >= ${fromMs}::bigint`}
            ${toMs === undefined ? sql`` : sql`and placed_ms < ${toMs}::bigint`}
            ${after === undefined ? sql`` : sql`and (placed_ms, id) < (${after.placedMs}::bigint, ${after.id})`}
          order by orders.placed_ms desc, orders.id desc limit ${limit}::int`,
        // A page is a walk along an index; but how many orders have a word or a product the server alone can tell.
        { indexed: words === undefined && (sku === undefined || customerId !== undefined) },
      );
      return rows.map((row) => ({
        orderId: row.id,
        customerId: row.customer_id,
        status: row.status,
        ...(row.reason === null ? {} : { reason: row.reason }),
        total: row.total,
        currency: row.currency,
        placedAt: new Date(row.placed_ms).toISOString(),
      }));
    },
  };
}
