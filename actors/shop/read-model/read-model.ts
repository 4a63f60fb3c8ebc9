import { arrayLiteral } from "#infra/postgres/array-literal.ts";
/**
 * The read model of the shop: tables that follow the journals of orders, stock, payments and invoices.
 *
 * They are in one database, so that a question may span services: which delivered orders have which invoice. Services
 * follow each other with a delay of milliseconds, so what spans them holds a moment later: see `invariants.ts`.
 */
import { projection, type Projection, type ProjectionSql } from "#infra/postgres/projections/projection.ts";
import { Invoice } from "../invoice/invoice.ts";
import type { OrderStatus } from "../order/messages.ts";
import { Order } from "../order/order.ts";
import { Payment } from "../payment/payment.ts";
import { Stock } from "../stock/stock.ts";
import { wordsOf } from "./words.ts";

/** How the projection is called, and with it the schema readers use. */
export const ORDERS = "orders";
/** How long a reader waits for what is on its way into the tables: a few milliseconds as a rule. */
export const SETTLE_MS = 2_000;

const TABLES = `
  create table orders (
    id          text collate "C" primary key,
    customer_id text collate "C" not null,
    status      text not null,
    reason      text,
    total       bigint not null,
    currency    text not null,
    country     text,
    placed_ms   bigint not null,
    changed_ms  bigint not null,
    needs_attention boolean not null default false,
    words       tsvector not null
  );
  -- One for each filter, in the order of the pages: a page is a walk along an index.
  create index orders_newest on orders (placed_ms, id);
  create index orders_of_status on orders (status, placed_ms, id);
  create index orders_of_customer on orders (customer_id, placed_ms, id);
  create index orders_of_customer_status on orders (customer_id, status, placed_ms, id);
  create index orders_words on orders using gin (words);
  create index orders_open on orders (changed_ms) where status in ('placed', 'reserved', 'paid', 'shipped', 'needs_attention');

  create table order_skus (sku text collate "C", order_id text collate "C", primary key (sku, order_id));

  create table sales_hours (
    hour_ms  bigint,
    currency text,
    orders   bigint not null,
    sold     bigint not null,
    refunded bigint not null,
    primary key (currency, hour_ms)
  );

  create table stock_levels (
    sku        text collate "C" primary key,
    name       text,
    price      bigint,
    currency   text,
    on_hand    bigint not null default 0,
    reserved   bigint not null default 0,
    shipped    bigint not null default 0,
    refilled   bigint not null default 0,
    counted    boolean not null default false,
    changed_ms bigint not null
  );
  create table reservations (
    order_id text collate "C",
    sku      text collate "C",
    quantity bigint not null,
    since_ms bigint not null,
    primary key (order_id, sku)
  );

  create table payments (
    order_id   text collate "C" primary key,
    currency   text not null,
    authorized bigint not null default 0,
    captured   bigint not null default 0,
    refunded   bigint not null default 0,
    voided     bigint not null default 0,
    changed_ms bigint not null
  );

  create table documents (
    number   text collate "C" primary key,
    series   text not null,
    seq      bigint not null,
    order_id text collate "C" not null,
    amount   bigint not null,
    currency text not null
  );
  create index documents_of_order on documents (order_id);
  create index documents_of_series on documents (series, seq);`;

type At = { readonly at: number };

/** Every table above. */
export const ordersProjection: Projection = projection(ORDERS, {
  version: 2,
  tables: TABLES,
  from: [Order, Stock, Payment, Invoice],
  on: {
    "order.placed.v1": (sql, { actor: { key }, at, data }) => {
      const { customerId, status, total, currency, lines, address, charges } = data;
      const words = wordsOf(
        [key, customerId, ...lines.flatMap(({ sku, name }) => [sku ?? "", name]), textOf(address)].join(" "),
      );
      const skus = [...new Set(lines.flatMap(({ sku }) => (sku === null ? [] : [sku])))];
      return [
        sql`
          insert into orders (id, customer_id, status, total, currency, country, placed_ms, changed_ms, words)
          values (${key}, ${customerId}, ${status}, ${total}::bigint, ${currency}, ${charges?.country ?? null},
                  ${at}::bigint, ${at}::bigint, array_to_tsvector(${arrayLiteral(words)}::text[]))`,
        ...skus.map((sku) => sql`insert into order_skus (sku, order_id) values (${sku}, ${key})`),
      ];
    },
    "order.reserved.v1": (sql, event) => enter(sql, event),
    "order.paid.v1": (sql, event) => [enter(sql, event), sold(sql, event, event.data)],
    "order.shipped.v1": (sql, event) => enter(sql, event),
    "order.delivered.v1": (sql, event) => enter(sql, event),
    "order.cancelled.v1": (sql, event) => enter(sql, event, event.data.reason),
    "order.rejected.v1": (sql, event) => enter(sql, event, event.data.reason),
    "order.returned.v1": (sql, event) => enter(sql, event, event.data.reason),
    "order.needs-attention.v1": (sql, event) => enter(sql, event),
    "order.lines-changed.v1": (sql, { actor: { key }, at, data }) =>
      sql`update orders set total = ${data.total}::bigint, changed_ms = ${at}::bigint where id = ${key}`,

    "stock.product-changed.v1": (sql, { at, data: { sku, name, price, currency } }) => sql`
      insert into stock_levels as l (sku, name, price, currency, changed_ms)
      values (${sku}, ${name}, ${price}::bigint, ${currency}, ${at}::bigint)
      on conflict (sku) do update set name = excluded.name, price = excluded.price, currency = excluded.currency`,
    "stock.refilled.v1": (sql, event) => count(sql, event, { refilled: event.data.quantity }),
    "stock.reserved.v1": (sql, event) => [count(sql, event, {}), reserve(sql, event)],
    "stock.released.v1": (sql, event) =>
      event.data.quantity === 0
        ? undefined
        : [
            count(sql, event, event.data.cause === "restocked" ? { left: -event.data.quantity } : {}),
            unreserve(sql, event.data),
          ],
    "stock.confirmed.v1": (sql, event) => [
      count(sql, event, { left: event.data.quantity }),
      unreserve(sql, event.data),
    ],
    "stock.returned.v1": (sql, event) => count(sql, event, { left: -event.data.quantity }),

    "payment.authorized.v1": (sql, event) => move(sql, event, { authorized: event.data.amount }),
    "payment.captured.v1": (sql, event) => move(sql, event, { captured: event.data.amount }),
    "payment.refunded.v1": (sql, event) => [
      move(sql, event, { refunded: event.data.amount }),
      hour(sql, event, event.data.currency, { orders: 0, sold: 0, refunded: event.data.amount }),
    ],
    "payment.voided.v1": (sql, event) =>
      event.data.amount === 0 ? undefined : move(sql, event, { voided: event.data.amount }),

    "invoice.issued.v1": (sql, { data: { number, orderId, total, currency } }) =>
      number === undefined ? undefined : document(sql, number, orderId, total, currency),
    "invoice.credited.v1": (sql, { data: { number, orderId, amount, currency } }) =>
      document(sql, number, orderId, amount, currency),
  },
});

function textOf(address: unknown): string {
  if (typeof address === "string") return address;
  return typeof address === "object" && address !== null ? Object.values(address).join(" ") : "";
}

function enter(
  sql: ProjectionSql,
  {
    actor: { key },
    data: { status },
    at,
  }: { readonly actor: { readonly key: string }; readonly data: { readonly status: OrderStatus } } & At,
  reason: string | null = null,
): PromiseLike<unknown> {
  return sql`
    update orders set status = ${status}, reason = ${reason}, changed_ms = ${at}::bigint,
           needs_attention = needs_attention or ${status === "needs_attention"}
    where id = ${key}`;
}

function sold(
  sql: ProjectionSql,
  event: At,
  { total, currency }: { readonly total: number; readonly currency: string },
) {
  return hour(sql, event, currency, { orders: 1, sold: total, refunded: 0 });
}

function hour(
  sql: ProjectionSql,
  { at }: At,
  currency: string,
  { orders, sold: amount, refunded }: { readonly orders: number; readonly sold: number; readonly refunded: number },
): PromiseLike<unknown> {
  return sql`
    insert into sales_hours as h (hour_ms, currency, orders, sold, refunded)
    values (${at - (at % 3_600_000)}::bigint, ${currency}, ${orders}::bigint, ${amount}::bigint, ${refunded}::bigint)
    on conflict (currency, hour_ms) do update
      set orders = h.orders + excluded.orders, sold = h.sold + excluded.sold, refunded = h.refunded + excluded.refunded`;
}

interface StockEvent extends At {
  readonly data: {
    readonly sku: string;
    readonly onHand?: number | undefined;
    readonly reserved?: number | undefined;
  };
}

/**
 * Takes over the counts the stock tells, and adds up what came and went beside them: so the two can be compared. What was
 * on the shelf before the stock kept a journal counts as refilled.
 */
function count(
  sql: ProjectionSql,
  { at, data: { sku, onHand = 0, reserved = 0 } }: StockEvent,
  { refilled = 0, left = 0 }: { readonly refilled?: number; readonly left?: number },
): PromiseLike<unknown> {
  return sql`
    insert into stock_levels as l (sku, on_hand, reserved, shipped, refilled, counted, changed_ms)
    values (${sku}, ${onHand}::bigint, ${reserved}::bigint, ${left}::bigint, ${onHand + left}::bigint, true, ${at}::bigint)
    on conflict (sku) do update
      set on_hand = excluded.on_hand, reserved = excluded.reserved, shipped = l.shipped + excluded.shipped,
          refilled = case when l.counted then l.refilled + ${refilled}::bigint else excluded.refilled end,
          counted = true, changed_ms = excluded.changed_ms`;
}

function reserve(
  sql: ProjectionSql,
  {
    at,
    data: { orderId, sku, quantity },
  }: At & { readonly data: { readonly orderId: string; readonly sku: string; readonly quantity: number } },
): PromiseLike<unknown> {
  return sql`
    insert into reservations as r (order_id, sku, quantity, since_ms)
    values (${orderId}, ${sku}, ${quantity}::bigint, ${at}::bigint)
    on conflict (order_id, sku) do update set quantity = r.quantity + excluded.quantity`;
}

function unreserve(sql: ProjectionSql, { orderId, sku }: { readonly orderId: string; readonly sku: string }) {
  return sql`delete from reservations where order_id = ${orderId} and sku = ${sku}`;
}

function move(
  sql: ProjectionSql,
  { at, data: { orderId, currency } }: At & { readonly data: { readonly orderId: string; readonly currency: string } },
  sums: { readonly [Sum in "authorized" | "captured" | "refunded" | "voided"]?: number },
): PromiseLike<unknown> {
  const { authorized = 0, captured = 0, refunded = 0, voided = 0 } = sums;
  return sql`
    insert into payments as p (order_id, currency, authorized, captured, refunded, voided, changed_ms)
    values (${orderId}, ${currency}, ${authorized}::bigint, ${captured}::bigint, ${refunded}::bigint, ${voided}::bigint, ${at}::bigint)
    on conflict (order_id) do update
      set authorized = p.authorized + excluded.authorized, captured = p.captured + excluded.captured,
          refunded = p.refunded + excluded.refunded, voided = p.voided + excluded.voided, changed_ms = excluded.changed_ms`;
}

/** A number is `2026-000001` or `CN-2026-000001`: its series, and its place in it. */
function document(sql: ProjectionSql, number: string, orderId: string, amount: number, currency: string) {
  const cut = number.lastIndexOf("-");
  return sql`
    insert into documents (number, series, seq, order_id, amount, currency)
    values (${number}, ${number.slice(0, cut)}, ${Number(number.slice(cut + 1))}::bigint, ${orderId}, ${amount}::bigint, ${currency})`;
}
