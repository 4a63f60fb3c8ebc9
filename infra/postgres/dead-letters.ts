import type { DeadLetter, DeadLetterFilter, StoredDeadLetter, TimerRow } from "#runtime";
import { arrayLiteral } from "./array-literal.ts";
import type { Sql } from "./pool.ts";

interface Row {
  readonly id: string;
  readonly reason: StoredDeadLetter["reason"];
  readonly detail: string;
  readonly target: string;
  readonly attempts: number;
  readonly record: string;
  readonly at: number;
  readonly type: string | null;
  readonly key: string | null;
  readonly position: number;
}

/** Keeps dead letters, the first of each id, and deletes the timers they came from unless those were set anew. */
export function insertDeadLetters(
  sql: Sql,
  letters: readonly DeadLetter[],
  timers: readonly TimerRow[],
): PromiseLike<unknown> {
  // The letters come sorted, and so get their positions in this order.
  return sql`
    with gone as (
      delete from timers t
      using unnest(${arrayLiteral(timers.map((t) => t.type))}::text[], ${arrayLiteral(timers.map((t) => t.key))}::text[],
                   ${arrayLiteral(timers.map((t) => t.name))}::text[], ${arrayLiteral(timers.map((t) => t.dueAt))}::bigint[]) u (type, key, name, due_ms)
      where t.type = u.type and t.key = u.key and t.name = u.name and t.due_ms = u.due_ms
    )
    insert into dead_letters (id, reason, detail, target, attempts, record, at_ms, type, key)
    select id, reason, detail, target, attempts, record::json, at_ms, type, key
    from unnest(${arrayLiteral(letters.map((l) => l.id))}::text[], ${arrayLiteral(letters.map((l) => l.reason))}::text[], ${arrayLiteral(letters.map((l) => l.detail))}::text[],
                ${arrayLiteral(letters.map((l) => l.target))}::text[], ${arrayLiteral(letters.map((l) => l.attempts))}::int[],
                ${arrayLiteral(letters.map((l) => l.record))}::text[], ${arrayLiteral(letters.map((l) => l.at))}::bigint[],
                ${arrayLiteral(letters.map((l) => l.type ?? null))}::text[], ${arrayLiteral(letters.map((l) => l.key ?? l.target))}::text[])
         with ordinality u (id, reason, detail, target, attempts, record, at_ms, type, key, i)
    order by i
    on conflict (id) do nothing`;
}

/** Dead letters that fit, by position, after `after`. */
export async function selectDeadLetters(
  sql: Sql,
  { reason, type, key }: DeadLetterFilter,
  { limit, after }: { readonly limit: number; readonly after: number },
): Promise<StoredDeadLetter[]> {
  const rows = await sql<Row[]>`
    select ${columns(sql)} from dead_letters
    where position > ${after}::bigint
      and (${reason ?? null}::text is null or reason = ${reason ?? null})
      and (${type ?? null}::text is null or type = ${type ?? null})
      and (${key ?? null}::text is null or coalesce(key, target) = ${key ?? null})
    order by position limit ${limit}::int`;
  return rows.map(letterOf);
}

/** The dead letter of an id. */
export async function selectDeadLetter(sql: Sql, id: string): Promise<StoredDeadLetter | undefined> {
  const rows = await sql<Row[]>`select ${columns(sql)} from dead_letters where id = ${id}`;
  return rows.map(letterOf)[0];
}

function columns(sql: Sql) {
  return sql`id, reason, detail, target, attempts, record::text as record, at_ms::float8 as at, type, key, position::float8 as position`;
}

function letterOf(row: Row): StoredDeadLetter {
  return { ...row, type: row.type ?? undefined, key: row.key ?? row.target };
}
