import { expect, setDefaultTimeout, test } from "bun:test";
import postgres from "postgres";
import type { IndexCondition, IndexQuery } from "#runtime";
import { testDatabase } from "../stack/for-tests.ts";
import { whereStatement } from "./index-queries.ts";
import { migrate } from "./migrate.ts";
import { INDEXED_PLANS } from "./pool.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

const ACTORS = 100_000;

/** Items with an even `onHand`, a `status` most of them share, and actors of another type beside them. */
async function fill(sql: postgres.Sql): Promise<void> {
  await sql.unsafe(`
    insert into actor_states (type, key, version, state)
    select type, 'k' || i, 1, '{}' from generate_series(1, ${ACTORS}) i, unnest(array['item', 'other']) type;
    insert into actor_index (type, key, field, value, partition)
    select type, 'k' || i, 'onHand', '2' || lpad(to_hex(i / 20), 16, '0'), i % 64
    from generate_series(1, ${ACTORS}) i, unnest(array['item', 'other']) type;
    insert into actor_index (type, key, field, value, partition)
    select 'item', 'k' || i, 'status', case when i % 1000 = 0 then '3rare' else '3active' end, i % 64 from generate_series(1, ${ACTORS}) i;
    insert into indexed_fields (type, partition, fields) select 'item', i, '["onHand","status"]' from generate_series(0, 63) i;
    analyze;`);
}

test("a query of 100,000 indexed actors reads the index, not the table", async () => {
  await using database = await testDatabase("where");
  await migrate(database.url);
  const sql = postgres(database.url, { max: 1, onnotice: () => undefined, connection: INDEXED_PLANS });
  await fill(sql);
  const hex = (value: number): string => `2${value.toString(16).padStart(16, "0")}`;
  const equal: IndexCondition = { field: "onHand", values: [hex(7)] };
  const several: IndexCondition = { field: "onHand", values: [hex(7), hex(9)] };
  const range: IndexCondition = { field: "onHand", from: hex(10), before: hex(12) };
  const wide: IndexCondition = { field: "onHand", from: "2", before: "3" };
  const rare: IndexCondition = { field: "status", values: ["3rare"] };
  const common: IndexCondition = { field: "status", values: ["3active"] };
  for (const [conditions, count] of [
    [[equal], 20],
    [[several], 40],
    [[range], 40],
    [[rare], 50],
    [[common], 50],
    [[wide], 50],
    [[equal, common], 20],
    [[common, equal], 20],
    [[range, rare], 0],
    [[wide, rare], 50],
  ] as const) {
    const query: IndexQuery = { type: "item", fields: ["onHand", "status"], conditions, limit: 50, after: "" };
    const { text, parameters } = whereStatement(query, 64);
    const plan = await sql.unsafe(`explain (analyze, costs off, timing off) ${text}`, [...parameters]);
    const lines = plan.map((row) => String(row["QUERY PLAN"])).join("\n");
    expect([conditions, /Seq Scan on (actor_index|actor_states)/.test(lines), lines.includes("actor_index_")]).toEqual([
      conditions,
      false,
      true,
    ]);
    const rows = await sql.unsafe(text, [...parameters]);
    expect([conditions, rows.filter((row) => row["key"] !== null).length]).toEqual([conditions, count]);
  }
  await sql.end();
});
