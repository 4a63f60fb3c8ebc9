import type { ActorId, JournalRecord, OutboxRecord } from "#runtime";
import { arrayLiteral } from "./array-literal.ts";
import type { Pool } from "./pool.ts";

/** Journal rows of each actor behind `after`, in order, at most `limit` per actor. */
export async function readJournal(
  pool: Pool,
  actors: readonly (ActorId & { readonly after: number })[],
  limit: number,
): Promise<readonly JournalRecord[]> {
  const rows = await pool.run(
    (sql) => sql<(Omit<JournalRecord, "traceparent"> & { traceparent: string | null })[]>`
      select j.type, j.key, j.seq::float8 as seq, j.partition, j.position::float8 as position, j.id, j.name, j.data,
             j.at_ms::float8 as at, j.traceparent
      from unnest(${arrayLiteral(actors.map((a) => a.type))}::text[], ${arrayLiteral(actors.map((a) => a.key))}::text[],
                  ${arrayLiteral(actors.map((a) => a.after))}::bigint[]) with ordinality u (type, key, after, i)
      cross join lateral (
        select * from journal j where j.type = u.type and j.key = u.key and j.seq > u.after order by j.seq limit ${limit}::int
      ) j order by u.i, j.seq`,
  );
  return rows.map((row) => ({ ...row, traceparent: row.traceparent ?? undefined }));
}

/** Journaled events of a type behind each position, as the outbox records they were, at most `limit` per partition. */
export async function readHistory(
  pool: Pool,
  type: string,
  positions: readonly { readonly partition: number; readonly after: number }[],
  limit: number,
): Promise<readonly OutboxRecord[]> {
  const rows = await pool.run(
    (sql) => sql<
      {
        partition: number;
        seq: number;
        key: string;
        id: string;
        name: string;
        at: number;
        data: string;
        traceparent: string | null;
      }[]
    >`
      select j.partition, j.position::float8 as seq, j.key, j.id, j.name, j.at_ms::float8 as at, j.data, j.traceparent
      from unnest(${arrayLiteral(positions.map((p) => p.partition))}::smallint[],
                  ${arrayLiteral(positions.map((p) => p.after))}::bigint[]) with ordinality u (partition, after, i)
      cross join lateral (
        select * from journal j
        where j.type = ${type} and j.partition = u.partition and j.position > u.after and j.position > 0
        order by j.position limit ${limit}::int
      ) j order by u.i, j.position`,
  );
  return rows.map(({ partition, seq, key, id, name, at, data, traceparent }) => ({
    partition,
    seq,
    kind: "event",
    id,
    name,
    actor: { type, key },
    target: key,
    body: data,
    at,
    traceparent: traceparent ?? undefined,
  }));
}
