import type { Sql } from "#infra/postgres/pool.ts";
/**
 * What must always hold between the services of the shop.
 *
 * Services follow each other within moments, so an order that changed within `graceMs` is not judged: what is amiss for
 * longer than that is a violation. Orders without a country were placed before payments kept a ledger: their money is not
 * judged. Each invariant counts what it expects beside what there is, and names some culprits.
 */
import type { PostgresReadModel } from "#infra/postgres/projections/read-model.ts";
import { ORDERS } from "./read-model.ts";

/** One invariant and whether it holds. */
export interface Invariant {
  readonly name: InvariantName;
  readonly holds: boolean;
  readonly expected: number;
  readonly actual: number;
  /** Orders, SKUs or series that break it; the first few. */
  readonly culprits: readonly string[];
}

/** The names of all invariants: label values of a metric, so the set is closed. */
export const INVARIANTS = [
  "stock_pieces",
  "stock_reservations",
  "reservations_of_open_orders",
  "money_of_orders",
  "money_of_documents",
  "invoice_numbers",
  "orders_underway",
] as const;
export type InvariantName = (typeof INVARIANTS)[number];

/** Which orders run: asked of whoever runs them. */
export type Running = (orderIds: readonly string[]) => Promise<ReadonlySet<string>>;

interface Row {
  readonly expected: number;
  readonly actual: number;
  readonly culprits: readonly string[] | null;
}

const OPEN = "{placed,reserved,paid,shipped,needs_attention}";
/** As many open orders are looked up at once. */
const LOOKED_UP = 200;

/** Checks all invariants. `running` is asked about open orders that have not changed for `staleMs`. */
export async function checkInvariants(
  reads: PostgresReadModel,
  running: Running,
  { nowMs, graceMs = 30_000, staleMs = 120_000 }: { nowMs: number; graceMs?: number; staleMs?: number },
): Promise<readonly Invariant[]> {
  const before = nowMs - graceMs;
  const ask = async (name: InvariantName, query: (sql: Sql) => PromiseLike<Row[]>): Promise<Invariant> => {
    const [row] = await reads.query(ORDERS, query);
    const { expected = 0, actual = 0 } = row ?? {};
    const culprits = row?.culprits ?? [];
    return { name, holds: expected === actual && culprits.length === 0, expected, actual, culprits };
  };
  return await Promise.all([
    // On hand (with what is reserved of it) and shipped are what was refilled.
    ask(
      "stock_pieces",
      (sql) => sql<Row[]>`
        select coalesce(sum(refilled), 0)::float8 as expected, coalesce(sum(on_hand + shipped), 0)::float8 as actual,
               to_json((array_agg(sku) filter (where on_hand + shipped <> refilled or on_hand < reserved or reserved < 0))[1:5]) as culprits
        from stock_levels`,
    ),
    // What is reserved is what open reservations hold.
    ask(
      "stock_reservations",
      (sql) => sql<Row[]>`
        with held as (select sku, sum(quantity) as quantity from reservations group by sku)
        select coalesce(sum(h.quantity), 0)::float8 as expected, coalesce(sum(l.reserved), 0)::float8 as actual,
               to_json((array_agg(l.sku) filter (where l.reserved <> coalesce(h.quantity, 0)))[1:5]) as culprits
        from stock_levels l left join held h on h.sku = l.sku`,
    ),
    // Nothing is reserved for an order that has ended.
    ask(
      "reservations_of_open_orders",
      (sql) => sql<Row[]>`
        select 0::float8 as expected, count(*)::float8 as actual, to_json((array_agg(o.id))[1:5]) as culprits
        from reservations r join orders o on o.id = r.order_id
        where o.status <> all(${OPEN}::text[]) and o.changed_ms < ${before}::bigint`,
    ),
    // Delivered orders are paid, whatever ended otherwise keeps no money.
    ask(
      "money_of_orders",
      (sql) => sql<Row[]>`
        with ended as (
          select o.id, case when o.status = 'delivered' then o.total else 0 end as due,
                 coalesce(p.captured - p.refunded, 0) as kept,
                 coalesce(p.authorized - p.captured - p.voided, 0) as open
          from orders o left join payments p on p.order_id = o.id
          where o.status <> all(${OPEN}::text[]) and o.changed_ms < ${before}::bigint and o.country is not null
        )
        select coalesce(sum(due), 0)::float8 as expected, coalesce(sum(kept + open), 0)::float8 as actual,
               to_json((array_agg(id) filter (where due <> kept or open <> 0))[1:5]) as culprits
        from ended`,
    ),
    // Money kept is what invoices say, less what credit notes say.
    ask(
      "money_of_documents",
      (sql) => sql<Row[]>`
        with told as (
          select order_id, sum(case when series like 'CN-%' then -amount else amount end) as amount from documents group by order_id
        ), ended as (
          select o.id, coalesce(p.captured - p.refunded, 0) as kept, coalesce(t.amount, 0) as told
          from orders o left join payments p on p.order_id = o.id left join told t on t.order_id = o.id
          where o.status <> all(${OPEN}::text[]) and o.changed_ms < ${before}::bigint and o.country is not null
        )
        select coalesce(sum(kept), 0)::float8 as expected, coalesce(sum(told), 0)::float8 as actual,
               to_json((array_agg(id) filter (where kept <> told))[1:5]) as culprits
        from ended`,
    ),
    // Numbers of a series have no gaps.
    ask(
      "invoice_numbers",
      (sql) => sql<Row[]>`
        with series as (select series, max(seq) as last, count(distinct seq) as given from documents group by series)
        select coalesce(sum(last), 0)::float8 as expected, coalesce(sum(given), 0)::float8 as actual,
               to_json((array_agg(series) filter (where last <> given))[1:5]) as culprits
        from series`,
    ),
    underway(reads, running, nowMs - staleMs),
  ]);
}

/** Every order is at its end, or somebody works on it. */
async function underway(reads: PostgresReadModel, running: Running, before: number): Promise<Invariant> {
  const open = await reads.query(
    ORDERS,
    (sql) => sql<{ id: string }[]>`
      select id from orders
      where status in ('placed', 'reserved', 'paid', 'shipped', 'needs_attention') and changed_ms < ${before}::bigint
      order by changed_ms limit ${LOOKED_UP}::int`,
  );
  const ids = open.map(({ id }) => id);
  const there = ids.length === 0 ? new Set<string>() : await running(ids);
  const culprits = ids.filter((id) => !there.has(id)).slice(0, 5);
  const actual = ids.filter((id) => there.has(id)).length;
  return { name: "orders_underway", holds: culprits.length === 0, expected: ids.length, actual, culprits };
}
