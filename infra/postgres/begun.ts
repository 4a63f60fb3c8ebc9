import type { BegunMessage } from "#runtime";
import { arrayLiteral } from "./array-literal.ts";
import type { Sql } from "./pool.ts";

/** What was begun in the partitions and is not known to have ended. */
export async function selectBegun(sql: Sql, partitions: readonly number[]): Promise<readonly BegunMessage[]> {
  return sql<BegunMessage[]>`
    select type, key, id, partition, count, at_ms::float8 as at from begun_messages
    where partition = any(${arrayLiteral(partitions)}::smallint[])`;
}

/** Writes down how often each was begun; a count of 0 forgets the message. */
export async function saveBegun(sql: Sql, messages: readonly BegunMessage[]): Promise<void> {
  // In one order everywhere: two nodes that write the same rows must not wait for each other in a circle.
  const rows = messages.toSorted((a, b) => order(a, b, "type") || order(a, b, "key") || order(a, b, "id"));
  await sql`
    with u as (
      select * from unnest(${arrayLiteral(rows.map(({ type }) => type))}::text[], ${arrayLiteral(rows.map(({ key }) => key))}::text[],
        ${arrayLiteral(rows.map(({ id }) => id))}::text[], ${arrayLiteral(rows.map(({ partition }) => partition))}::smallint[],
        ${arrayLiteral(rows.map(({ count }) => count))}::smallint[], ${arrayLiteral(rows.map(({ at }) => at))}::bigint[])
        u (type, key, id, partition, count, at_ms)
    ), ended as (
      delete from begun_messages b using u where u.count = 0 and b.type = u.type and b.key = u.key and b.id = u.id
    )
    insert into begun_messages select * from u where count > 0
    on conflict (type, key, id) do update set count = excluded.count, at_ms = excluded.at_ms`;
}

/** Forgets what was begun last before `before`. */
export async function pruneBegun(sql: Sql, before: number): Promise<void> {
  await sql`delete from begun_messages where at_ms < ${before}::bigint`;
}

function order(a: BegunMessage, b: BegunMessage, by: "type" | "key" | "id"): number {
  if (a[by] === b[by]) return 0;
  return a[by] < b[by] ? -1 : 1;
}
