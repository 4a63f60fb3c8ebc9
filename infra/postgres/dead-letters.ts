import type {
  DeadLetter,
  DeadLetterChange,
  DeadLetterCount,
  DeadLetterEdit,
  DeadLetterFilter,
  DeadLetterSummary,
  DeadLetterWindow,
  StoredDeadLetter,
} from "#runtime";
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
  readonly original: string | null;
  readonly edits: string | null;
}

/** Keeps dead letters, the first of each id, and deletes the timers they came from unless those were set anew. */
export function insertDeadLetters(sql: Sql, letters: readonly DeadLetter[]): PromiseLike<unknown> {
  // The dead letters come sorted, and so get their positions in this order.
  return sql`
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

/** Dead letters that fit, by position. */
export async function selectDeadLetters(
  sql: Sql,
  filter: DeadLetterFilter,
  { limit, after, upTo }: DeadLetterWindow,
): Promise<StoredDeadLetter[]> {
  // The column by its whole name: alone it would be the number that is shown, which no index has.
  const rows = await sql<Row[]>`
    select ${columns(sql)} from dead_letters
    where position > ${after}::bigint ${upTo === undefined ? sql`` : sql`and position <= ${upTo}::bigint`} ${fits(sql, filter)}
    order by dead_letters.position limit ${limit}::int`;
  return rows.map(letterOf);
}

/** The dead letter of an id. */
export async function selectDeadLetter(sql: Sql, id: string): Promise<StoredDeadLetter | undefined> {
  const rows = await sql<Row[]>`select ${columns(sql)} from dead_letters where id = ${id}`;
  return rows.map(letterOf)[0];
}

/** The highest position; 0 without dead letters. */
export async function lastDeadLetter(sql: Sql): Promise<number> {
  const [row] = await sql<{ last: number }[]>`select coalesce(max(position), 0)::float8 as last from dead_letters`;
  return row?.last ?? 0;
}

/** Which of the keys have a dead letter that fits, up to a position. */
export async function keysWithDeadLetters(
  sql: Sql,
  filter: DeadLetterFilter,
  keys: readonly string[],
  upTo: number,
): Promise<string[]> {
  const rows = await sql<{ key: string }[]>`
    select u.key from unnest(${arrayLiteral(keys)}::text[]) u (key)
    where exists (
      select 1 from dead_letters
      where coalesce(dead_letters.key, target) = u.key and position <= ${upTo}::bigint ${fits(sql, filter, true)}
    )`;
  return rows.map(({ key }) => key);
}

/** Exact counts, as the triggers keep them. */
export function countDeadLetters(sql: Sql): PromiseLike<DeadLetterCount[]> {
  return sql<DeadLetterCount[]>`select reason, count::float8 as count from dead_letter_counts where count > 0`;
}

/** What fits, by reason. */
export function summarizeDeadLetters(sql: Sql, filter: DeadLetterFilter): PromiseLike<DeadLetterSummary[]> {
  return sql<DeadLetterSummary[]>`
    select reason, count(*)::float8 as count, min(at_ms)::float8 as oldest, max(at_ms)::float8 as newest
    from dead_letters where true ${fits(sql, filter)} group by reason`;
}

/** Writes what an edit changed, if the dead letter still holds `was`. */
export async function updateDeadLetter(
  sql: Sql,
  id: string,
  was: string,
  { record, original, edits }: DeadLetterChange,
): Promise<boolean> {
  const result = await sql`
    update dead_letters
    set record = ${record}::text::json, original = ${original ?? null}, edits = ${edits === undefined ? null : JSON.stringify(edits)}::text
    where id = ${id} and record::text = ${was}`;
  return result.count > 0;
}

/** Claims keys that nobody else has. In their order, so that two that claim the same ones do not wait for each other. */
export async function claimDeadLetterKeys(
  sql: Sql,
  keys: readonly string[],
  owner: string,
  forMs: number,
): Promise<string[]> {
  const rows = await sql<{ key: string }[]>`
    insert into dead_letter_claims (key, owner, until)
    select u.key, ${owner}::text, clock_timestamp() + ${forMs}::float8 * interval '1 millisecond'
    from (select distinct key from unnest(${arrayLiteral(keys)}::text[]) k (key) order by key) u
    on conflict (key) do update set owner = excluded.owner, until = excluded.until
    where dead_letter_claims.owner = excluded.owner or dead_letter_claims.until <= clock_timestamp()
    returning key`;
  return rows.map(({ key }) => key);
}

/** Gives up claims, and forgets those that ran out long ago. */
export async function releaseDeadLetterKeys(sql: Sql, keys: readonly string[], owner: string): Promise<void> {
  await sql`
    delete from dead_letter_claims
    where (owner = ${owner} and key = any(${arrayLiteral(keys)}::text[])) or until < clock_timestamp() - interval '1 hour'`;
}

/** Deletes dead letters. */
export async function deleteDeadLetters(sql: Sql, ids: readonly string[]): Promise<number> {
  const result = await sql`delete from dead_letters where id = any(${arrayLiteral(ids)}::text[])`;
  return result.count;
}

/**
 * Only what is asked for stands in the statement: with the rest as parameters no plan would use the indexes. Of several
 * conditions the narrowest leads; the others are expressions, which no index has, as a server without statistics would read
 * all that each of them fits.
 *
 * @param byKey whether the statement itself asks for keys, which lead then.
 */
function fits(sql: Sql, { reason, type, key, from, before }: DeadLetterFilter, byKey = key !== undefined) {
  const led = byKey || type !== undefined || reason !== undefined;
  const at = led ? sql`at_ms + 0` : sql`at_ms`;
  return sql`
    ${key === undefined ? sql`` : sql`and coalesce(dead_letters.key, target) = ${key}`}
    ${type === undefined ? sql`` : sql`and ${byKey ? sql`type || ''` : sql`type`} = ${type}`}
    ${reason === undefined ? sql`` : sql`and ${byKey || type !== undefined ? sql`reason || ''` : sql`reason`} = ${reason}`}
    ${from === undefined ? sql`` : sql`and ${at} >= ${from}::bigint`}
    ${before === undefined ? sql`` : sql`and ${at} < ${before}::bigint`}`;
}

function columns(sql: Sql) {
  return sql`id, reason, detail, target, attempts, record::text as record, at_ms::float8 as at, type, key, position::float8 as position, original, edits`;
}

function letterOf({ edits, ...row }: Row): StoredDeadLetter {
  return {
    ...row,
    type: row.type ?? undefined,
    key: row.key ?? row.target,
    original: row.original ?? undefined,
    edits: edits === null ? undefined : (JSON.parse(edits) as DeadLetterEdit[]),
  };
}
