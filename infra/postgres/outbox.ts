/** Records of the outbox behind a position, and how far each sink has got. */

import type { CursorRow, OutboxKind, OutboxRecord } from "#runtime";
import { arrayLiteral } from "./array-literal.ts";
import { type OutboxPage, recordsOf } from "./outbox-page.ts";
import type { Pool } from "./pool.ts";

/** How far each sink has got in each of the partitions. */
export function readCursors(pool: Pool, partitions: readonly number[]): Promise<readonly CursorRow[]> {
  return pool.run(
    (sql) => sql<CursorRow[]>`
      select sink, partition, seq::float8 as seq from cursors where partition = any(${arrayLiteral(partitions)}::smallint[])`,
  );
}

/** Moves cursors forward; one never moves back. */
export async function saveCursors(pool: Pool, cursors: readonly CursorRow[]): Promise<void> {
  // In one order everywhere: two nodes that save the same rows must not wait for each other in a circle.
  const rows = cursors.toSorted((a, b) => a.sink.localeCompare(b.sink) || a.partition - b.partition);
  await pool.run(
    (sql) => sql`
      insert into cursors (sink, partition, seq)
      select * from unnest(${arrayLiteral(rows.map((c) => c.sink))}::text[], ${arrayLiteral(rows.map((c) => c.partition))}::smallint[], ${arrayLiteral(rows.map((c) => c.seq))}::bigint[])
      on conflict (sink, partition) do update set seq = excluded.seq where excluded.seq > cursors.seq`,
  );
}

/** Records of a kind behind each position, in sequence order within a partition. */
export async function readOutbox(
  pool: Pool,
  kind: OutboxKind,
  positions: readonly { readonly partition: number; readonly after: number }[],
  limit: number,
): Promise<readonly OutboxRecord[]> {
  // Pages are read until those behind the first, which may be passed in part, hold enough.
  const pages = await pool.run(
    (sql) => sql<(Pick<OutboxPage, "partition" | "kind" | "records"> & { readonly after: number })[]>`
      select u.partition, ${kind} as kind, u.after::float8 as after, o.records
      from unnest(${arrayLiteral(positions.map((p) => p.partition))}::smallint[], ${arrayLiteral(positions.map((p) => p.after))}::bigint[]) u (partition, after)
      cross join lateral (
        select records, last_seq, sum(count) over w - count - first_value(count) over w as before
        from (
          select records, last_seq, count from outbox o
          where o.partition = u.partition and o.kind = ${kind} and o.last_seq > u.after
          order by o.last_seq limit ${limit + 1}::int
        ) o
        window w as (order by last_seq)
      ) o
      where o.before < ${limit}::int
      order by u.partition, o.last_seq`,
  );
  return pages.flatMap((page) => recordsOf(page, page.after));
}
