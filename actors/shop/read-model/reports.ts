import type { PostgresReadModel } from "#infra/postgres/projections/read-model.ts";
import type { OrderStatus } from "../order/messages.ts";
import { ORDERS } from "./read-model.ts";

/** What was sold in an hour, in one currency. Minor units; `hour` is its beginning, RFC 3339. */
export interface SalesHour {
  readonly hour: string;
  readonly currency: string;
  /** Orders paid. */
  readonly orders: number;
  readonly sold: number;
  readonly refunded: number;
}

/** The stock of a SKU, as its events tell. */
export interface ListedStock {
  readonly sku: string;
  readonly name: string | null;
  readonly onHand: number;
  readonly reserved: number;
  readonly available: number;
  readonly shipped: number;
}

/** Orders of one status that have not come to their end. */
export interface OpenOrders {
  readonly status: OrderStatus;
  readonly orders: number;
}

/** Figures of the shop, from the read model. */
export interface Reports {
  /** Hours from `fromMs` to before `toMs`, oldest first; hours without a sale are left out. */
  sales(range: { readonly fromMs: number; readonly toMs: number; readonly limit: number }): Promise<SalesHour[]>;
  /** By SKU, behind `after`. `below`: only what has fewer pieces available. */
  stock(page: { readonly after?: string; readonly below?: number; readonly limit: number }): Promise<ListedStock[]>;
  /** One for each status that is not an end, also where there is no such order. */
  openOrders(): Promise<OpenOrders[]>;
}

/** As in the index `orders_open`. */
const OPEN: readonly OrderStatus[] = ["placed", "reserved", "paid", "shipped", "needs_attention"];

/** Reads the figures. */
export function reports(reads: PostgresReadModel): Reports {
  return {
    async sales({ fromMs, toMs, limit }) {
      const rows = await reads.query(
        ORDERS,
        (sql) => sql<{ hour_ms: number; currency: string; orders: number; sold: number; refunded: number }[]>`
          select hour_ms::float8 as hour_ms, currency, orders::float8 as orders, sold::float8 as sold, refunded::float8 as refunded
          from sales_hours where hour_ms >= ${fromMs}::bigint and hour_ms < ${toMs}::bigint
          order by hour_ms, currency limit ${limit}::int`,
      );
      return rows.map(({ hour_ms, ...rest }) => ({ hour: new Date(hour_ms).toISOString(), ...rest }));
    },
    async stock({ after = "", below, limit }) {
      return await reads.query(
        ORDERS,
        (sql) => sql<ListedStock[]>`
          select sku, name, on_hand::float8 as "onHand", reserved::float8 as reserved,
                 (on_hand - reserved)::float8 as available, shipped::float8 as shipped
          from stock_levels
          where sku > ${after} ${below === undefined ? sql`` : sql`and on_hand - reserved < ${below}::bigint`}
          order by sku limit ${limit}::int`,
        { indexed: true },
      );
    },
    async openOrders() {
      const rows = await reads.query(
        ORDERS,
        (sql) => sql<{ status: string; orders: number }[]>`
          select status, count(*)::float8 as orders from orders
          where status in ('placed', 'reserved', 'paid', 'shipped', 'needs_attention') group by status`,
        { indexed: true },
      );
      return OPEN.map((status) => ({ status, orders: rows.find((row) => row.status === status)?.orders ?? 0 }));
    },
  };
}
