import type { ProjectionSql } from "#infra/postgres/projections/projection.ts";
import { type Projection, projection } from "#infra/postgres/projections/projection.ts";
import type { PostgresReadModel } from "#infra/postgres/projections/read-model.ts";
import type { Troupe } from "#runtime";
import type { OrderStatus } from "./messages.ts";
import { Order } from "./order.ts";

/** How the projection is called, and with it the schema readers use. */
export const ORDERS = "orders";

/** Every order with what lists show of it, following the events of {@link Order}. */
export const ordersProjection: Projection = projection(ORDERS, {
  version: 1,
  tables: `
    create table orders (
      id          text collate "C" primary key,
      customer_id text collate "C" not null,
      status      text not null,
      reason      text,
      total       bigint not null,
      currency    text not null,
      placed_ms   bigint not null
    );
    -- One for each filter, in the order of the pages: a page is a walk along an index.
    create index orders_newest on orders (placed_ms, id);
    create index orders_of_status on orders (status, placed_ms, id);
    create index orders_of_customer on orders (customer_id, placed_ms, id);
    create index orders_of_customer_status on orders (customer_id, status, placed_ms, id);`,
  from: [Order],
  on: {
    "order.placed.v1": (sql, { actor: { key }, at, data: { customerId, status, total, currency } }) => sql`
      insert into orders (id, customer_id, status, total, currency, placed_ms)
      values (${key}, ${customerId}, ${status}, ${total}::bigint, ${currency}, ${at}::bigint)`,
    "order.reserved.v1": (sql, event) => enter(sql, event),
    "order.paid.v1": (sql, event) => enter(sql, event),
    "order.shipped.v1": (sql, event) => enter(sql, event),
    "order.delivered.v1": (sql, event) => enter(sql, event),
    "order.cancelled.v1": (sql, event) => enter(sql, event),
    "order.rejected.v1": (sql, event) => enter(sql, event, event.data.reason),
  },
});

function enter(
  sql: ProjectionSql,
  {
    actor: { key },
    data: { status },
  }: { readonly actor: { readonly key: string }; readonly data: { readonly status: OrderStatus } },
  reason: string | null = null,
): PromiseLike<unknown> {
  return sql`update orders set status = ${status}, reason = ${reason} where id = ${key}`;
}

/** How long a list waits for what is on its way into the tables: a few milliseconds as a rule. */
const SETTLE_MS = 2_000;

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

/** Which page of which orders. Filters are exact; a page goes on behind `after`. */
export interface OrderQuery {
  readonly status?: OrderStatus | undefined;
  readonly customerId?: string | undefined;
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
    async page({ status, customerId, limit, after }) {
      await troupe().projectionSettled(ORDERS, SETTLE_MS);
      const rows = await reads.query(
        ORDERS,
        (sql) => sql<Row[]>`
          select id, customer_id, status, reason, total::float8 as total, currency, placed_ms::float8 as placed_ms from orders
          where true
            ${status === undefined ? sql`` : sql`and status = ${status}`}
            ${customerId === undefined ? sql`` : sql`and customer_id = ${customerId}`}
            ${after === undefined ? sql`` : sql`and (placed_ms, id) < (${after.placedMs}::bigint, ${after.id})`}
          order by placed_ms desc, id desc limit ${limit}::int`,
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
