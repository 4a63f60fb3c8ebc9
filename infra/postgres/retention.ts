import { type KnownSink, type OutboxKind, SENT_IDS } from "#runtime";
import { arrayLiteral } from "./array-literal.ts";
import type { Sql } from "./pool.ts";

/** Says that a node has these sinks. */
export async function registerSinks(sql: Sql, sinks: readonly KnownSink[], at: number): Promise<void> {
  // In one order everywhere: two nodes that write the same rows must not wait for each other in a circle.
  const rows = sinks.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  await sql`
    insert into sinks (name, kind, seen_ms)
    select name, kind, ${at}::bigint
    from unnest(${arrayLiteral(rows.map(({ name }) => name))}::text[], ${arrayLiteral(rows.map(({ kind }) => kind))}::text[]) u (name, kind)
    on conflict (name) do update set kind = excluded.kind, seen_ms = greatest(sinks.seen_ms, excluded.seen_ms)`;
}

/** Forgets the sinks that no node has had since `before`, with their cursors. Returns their names. */
export async function forgetSinks(sql: Sql, before: number): Promise<readonly string[]> {
  const rows = await sql<{ name: string }[]>`
    with gone as (delete from sinks where seen_ms < ${before}::bigint returning name),
    places as (delete from cursors c using gone where c.sink = gone.name)
    select name from gone`;
  return rows.map(({ name }) => name);
}

/** The time of the oldest record of a kind that a sink has not passed: of the first page behind each of its cursors. */
export async function oldestAhead(sql: Sql, sink: string, kind: OutboxKind): Promise<number | undefined> {
  const [row] = await sql<{ at: number | null }[]>`
    select min((o.records::json -> 0 ->> 7)::bigint)::float8 as at
    from partitions p
    left join cursors c on c.sink = ${sink} and c.partition = p.id
    cross join lateral (
      select records from outbox
      where partition = p.id and kind = ${kind} and last_seq > coalesce(c.seq, 0)
      order by last_seq limit 1
    ) o`;
  return row?.at ?? undefined;
}

/** Deletes pages that all known sinks of their kind have passed and that are older than `before`. Returns how many records. */
export async function pruneOutbox(
  sql: Sql,
  partitions: readonly number[],
  before: number,
  limit: number,
): Promise<number> {
  const [row] = await sql<{ pruned: number }[]>`
    with passed as (
      select p.id, s.kind, min(coalesce(c.seq, 0)) as seq
      from unnest(${arrayLiteral(partitions)}::smallint[]) p (id)
      cross join sinks s
      left join cursors c on c.sink = s.name and c.partition = p.id
      group by p.id, s.kind
    ), gone as (
      delete from outbox where ctid = any (array(
        select o.ctid from passed
        cross join lateral (
          select ctid from outbox
          where partition = passed.id and kind = passed.kind and last_seq <= passed.seq and at_ms < ${before}::bigint
          order by last_seq limit ${limit}::int
        ) o
        limit ${limit}::int
      ))
      returning count
    )
    select coalesce(sum(count), 0)::int as pruned from gone`;
  return row?.pruned ?? 0;
}

/** How far a round of {@link pruneReplies} has got: what is older than `at` is gone, or stays for now. */
export interface PrunedReplies {
  readonly before: number;
  readonly sentBefore: number;
  readonly at: number;
}

/**
 * Deletes at most `limit` replies older than `before`; those of {@link SENT_IDS} only if older than `sentBefore` too.
 *
 * @param last what the last call answered. With the same bounds this one goes on where that ended: what had to stay is not
 * looked at by each call of a round.
 * @returns how many went, and how far it has got.
 */
export async function pruneReplies(
  sql: Sql,
  { before, sentBefore, limit }: { readonly before: number; readonly sentBefore: number; readonly limit: number },
  last: PrunedReplies | undefined,
): Promise<{ readonly count: number; readonly pruned: PrunedReplies | undefined }> {
  const goesOn = last !== undefined && last.before === before && last.sentBefore === sentBefore;
  const [row] = await sql<{ count: number; at: number | null }[]>`
    with gone as (
      delete from replies where ctid = any (array(
        select ctid from replies
        where at_ms < ${before}::bigint and at_ms >= ${goesOn ? last.at : Number.MIN_SAFE_INTEGER}::bigint
          and (at_ms < ${sentBefore}::bigint or not (left(id, 4) = any (${arrayLiteral(SENT_IDS)}::text[])))
        order by at_ms limit ${limit}::int
      ))
      returning at_ms
    )
    select count(*)::int as count, max(at_ms)::float8 as at from gone`;
  const at = row?.at ?? undefined;
  return { count: row?.count ?? 0, pruned: at === undefined ? undefined : { before, sentBefore, at } };
}
