import type { ActorId, JournalRecord, OutboxRecord } from "#runtime";
import { eventOfJournal } from "#runtime/internal";
import { arrayLiteral } from "./array-literal.ts";
import type { Pool } from "./pool.ts";

/** A journal row as it is read. */
type StoredRow = Omit<JournalRecord, "traceparent"> & { readonly traceparent: string | null };

/** Journal rows of each actor behind `after`, in order, at most `limit` per actor. */
export async function readJournal(
  pool: Pool,
  actors: readonly (ActorId & { readonly after: number })[],
  limit: number,
): Promise<readonly JournalRecord[]> {
  const rows = await pool.run(
    (sql) => sql<StoredRow[]>`
      select j.type, j.key, j.seq::float8 as seq, j.partition, j.position::float8 as position, j.id, j.name, j.data,
             j.at_ms::float8 as at, j.traceparent
      from unnest(${arrayLiteral(actors.map((a) => a.type))}::text[], ${arrayLiteral(actors.map((a) => a.key))}::text[],
                  ${arrayLiteral(actors.map((a) => a.after))}::bigint[]) with ordinality u (type, key, after, i)
      cross join lateral (
        select * from journal j where j.type = u.type and j.key = u.key and j.seq > u.after order by j.seq limit ${limit}::int
      ) j order by u.i, j.seq`,
  );
  return rows.map(recordOf);
}

/** Journaled events of a type behind each position, as the outbox records they were, at most `limit` per partition. */
export async function readHistory(
  pool: Pool,
  type: string,
  positions: readonly { readonly partition: number; readonly after: number }[],
  limit: number,
): Promise<readonly OutboxRecord[]> {
  const rows = await pool.run(
    (sql) => sql<StoredRow[]>`
      select j.type, j.key, j.seq::float8 as seq, j.partition, j.position::float8 as position, j.id, j.name, j.data,
             j.at_ms::float8 as at, j.traceparent
      from unnest(${arrayLiteral(positions.map((p) => p.partition))}::smallint[],
                  ${arrayLiteral(positions.map((p) => p.after))}::bigint[]) with ordinality u (partition, after, i)
      cross join lateral (
        select * from journal j
        where j.type = ${type} and j.partition = u.partition and j.position > u.after and j.position > 0
        order by j.position limit ${limit}::int
      ) j order by u.i, j.position`,
  );
  return rows.map((row) => eventOfJournal(recordOf(row)));
}

function recordOf(row: StoredRow): JournalRecord {
  return { ...row, traceparent: row.traceparent ?? undefined };
}
