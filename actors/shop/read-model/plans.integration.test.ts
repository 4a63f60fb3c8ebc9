import { expect, setDefaultTimeout, test } from "bun:test";
import type { Sql } from "postgres";
import { postgresReadModel, type PostgresReadModel } from "#infra/postgres/projections/read-model.ts";
import { testDatabase } from "#infra/stack/for-tests.ts";
import { withConnection } from "#infra/stack/postgres.ts";
import { eventually } from "#infra/testing/eventually.ts";
import type { OutboxRecord, ProjectionBuild, Troupe } from "#runtime";
import { type OrderLists, orderLists } from "./orders.ts";
import { ORDERS, ordersProjection } from "./read-model.ts";
import { reports } from "./reports.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(120_000);

/** Rows of each table that grows. */
const ROWS = 50_000;
/** Rows that a scan reads as fast as an index. */
const FEW = 1_000;
/** One row for each hour and currency; and those of what is open now alone. */
const BOUNDED = ["sales_hours", "reservations"];

/** Without statistics, as the tables are while they are filled. */
async function fill(sql: Sql, from: number, to: number): Promise<void> {
  await sql.unsafe("set search_path = orders_v2");
  await sql`
    insert into orders (id, customer_id, status, total, currency, country, placed_ms, changed_ms, words)
    select 'ord_' || i, 'cus_' || i % 5000, case when i % 500 = 0 then 'paid' else 'delivered' end, 100, 'EUR', 'DE', i, i,
           array_to_tsvector(array['ord', 'w' || i % 1000, 'n' || i])
    from generate_series(${from}::int, ${to}::int) i`;
  await sql`insert into order_skus (sku, order_id) select 'SKU-' || i % 1000, 'ord_' || i from generate_series(${from}::int, ${to}::int) i`;
  await sql`
    insert into stock_levels (sku, name, on_hand, reserved, changed_ms)
    select 'SKU-' || i, 'n', 10, 1, 1 from generate_series(${from}::int, ${to}::int) i`;
  await sql`
    insert into payments (order_id, currency, authorized, changed_ms)
    select 'ord_' || i, 'EUR', 100, i from generate_series(${from}::int, ${to}::int) i`;
  await sql`
    insert into documents (number, series, seq, order_id, amount, currency)
    select '2026-' || i, '2026', i, 'ord_' || i, 100, 'EUR' from generate_series(${from}::int, ${to}::int) i`;
}

let seq = 0;
function event(type: string, key: string, name: string, data: unknown): OutboxRecord {
  seq++;
  return {
    ...{ partition: 1, seq, kind: "event", id: `evt_${seq}`, name, actor: { type, key }, target: key },
    ...{ body: JSON.stringify(data), at: 1_000_000 + seq, traceparent: undefined },
  };
}

/** An order from its placing to its invoice, and one that is called off. */
function eventsOf(n: number): OutboxRecord[] {
  const [key, sku] = [`ord_new${n}`, "SKU-7"];
  const placed = { customerId: "cus_1", status: "placed", total: 100, currency: "EUR", lines: [{ sku, name: "Tea" }] };
  const stock = { sku, orderId: key, quantity: 1, onHand: 10, reserved: 2 };
  const money = { orderId: key, amount: 100, currency: "EUR" };
  return [
    event("order", key, "order.placed.v1", { ...placed, address: "a", charges: { country: "DE" } }),
    event("stock", sku, "stock.reserved.v1", stock),
    event("order", key, "order.reserved.v1", { status: "reserved" }),
    event("payment", key, "payment.authorized.v1", money),
    event("payment", key, "payment.captured.v1", money),
    event("order", key, "order.paid.v1", { status: "paid", total: 100, currency: "EUR" }),
    event("invoice", key, "invoice.issued.v1", { ...money, number: `2027-${n}`, total: 100 }),
    event("stock", sku, "stock.confirmed.v1", stock),
    event("order", key, "order.cancelled.v1", { status: "cancelled", reason: "changed_mind" }),
    event("payment", key, "payment.refunded.v1", money),
  ];
}

function listsOf(reads: PostgresReadModel): OrderLists {
  return orderLists(reads, () => ({ projectionSettled: async () => undefined }) as unknown as Troupe);
}

/** What readers ask, and what events do to the tables. */
async function everything(reads: PostgresReadModel, build: ProjectionBuild, time: number): Promise<void> {
  const lists = listsOf(reads);
  const after = { placedMs: 900, id: "ord_900" };
  for (const filter of [
    {},
    { status: "paid" },
    { status: "delivered" },
    { customerId: "cus_7" },
    { customerId: "cus_7", status: "delivered" },
    { sku: "SKU-7", customerId: "cus_7" },
    { fromMs: 100, toMs: 200 },
  ] as const) {
    await lists.page({ ...filter, limit: 5 });
    await lists.page({ ...filter, limit: 5, after });
  }
  const figures = reports(reads);
  await figures.openOrders();
  await figures.stock({ after: "SKU-3", limit: 5 });
  await reads.apply(build, eventsOf(time), { known: () => true, skip: () => false });
}

test("no statement of the shop's read model reads a table that grows from end to end", async () => {
  await using database = await testDatabase("shop_plans");
  const read = async (): Promise<PostgresReadModel> => {
    const reads = postgresReadModel(database.url, { projections: [ordersProjection], max: 1 });
    await reads.open();
    return reads;
  };
  const rowsRead = async (): Promise<readonly { table: string; rows: number }[]> =>
    withConnection(database.url, async (sql) => {
      await eventually("the other connections have told what they read", 20_000, async () => {
        const [row] = await sql<{ others: number }[]>`
          select count(*)::int as others from pg_stat_activity
          where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`;
        return row?.others === 0;
      });
      return sql<{ table: string; rows: number }[]>`
        select t.relname as table, (t.seq_tup_read + coalesce(t.idx_tup_fetch, 0) + sum(i.idx_tup_read))::int as rows
        from pg_stat_user_tables t join pg_stat_user_indexes i on i.relid = t.relid
        where t.schemaname = 'orders_v2' and t.relname <> all(${BOUNDED})
        group by t.relname, t.seq_tup_read, t.idx_tup_fetch`;
    });
  let reads = await read();
  const build = await reads.begin(ORDERS, ordersProjection.version, () => 64);
  await reads.move(build, "feeding");
  await reads.goLive(build);
  await withConnection(database.url, async (sql) => {
    const tables = await sql<
      { name: string }[]
    >`select tablename as name from pg_tables where schemaname = 'orders_v2'`;
    for (const { name } of tables) await sql.unsafe(`alter table orders_v2.${name} set (autovacuum_enabled = off)`);
    await fill(sql, 1, FEW);
    await sql`select pg_stat_reset()`;
  });
  // Often enough for the server to settle on one plan of each, while a scan of a table costs little.
  for (let time = 0; time < 6; time++) await everything(reads, build, time);
  await withConnection(database.url, (sql) => fill(sql, FEW + 1, ROWS));
  await everything(reads, build, 6);
  await reads.close();
  reads = await read();
  await everything(reads, build, 7);
  await reads.close();

  const found = await rowsRead();
  expect(found.map(({ table }) => table).toSorted()).toEqual(
    ["documents", "order_skus", "orders", "payments", "stock_levels"].toSorted(),
  );
  expect(found.filter(({ rows }) => rows > ROWS / 10)).toEqual([]);

  // How common a word is the server alone can know: it needs its statistics, which it makes of a table that has grown.
  await withConnection(database.url, async (sql) => {
    await sql`analyze orders_v2.orders`;
    await sql`select pg_stat_reset()`;
  });
  reads = await read();
  expect((await listsOf(reads).page({ text: "n777", limit: 5 })).length).toBe(5);
  expect((await listsOf(reads).page({ text: "ord", limit: 5 })).length).toBe(5);
  await reads.close();
  expect((await rowsRead()).filter(({ rows }) => rows > ROWS / 10)).toEqual([]);
});
