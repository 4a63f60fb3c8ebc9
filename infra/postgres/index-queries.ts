import type { TransactionSql } from "postgres";
import {
  type ActorRow,
  type Fence,
  FencedError,
  type IndexCondition,
  type IndexedFields,
  type IndexFill,
  type IndexQuery,
} from "#runtime";
import { arrayLiteral } from "./array-literal.ts";
import type { Sql } from "./pool.ts";

/** A statement and its parameters, numbered from `$1`. */
export interface Statement {
  readonly text: string;
  readonly parameters: readonly (string | number)[];
}

/** The rows of an index query; `undefined` where the index is not complete, in all partitions, at the moment it is read. */
export async function where(sql: Sql, query: IndexQuery, partitions: number): Promise<readonly ActorRow[] | undefined> {
  const { text, parameters } = whereStatement(query, partitions);
  const rows = await sql.unsafe<({ complete: boolean } & (ActorRow | { key: null }))[]>(text, [...parameters], {
    prepare: true,
  });
  if (rows[0]?.complete !== true) return undefined;
  return rows.flatMap((row) => {
    if (row.key === null) return [];
    const { key, version, schemaVersion, state } = row;
    return [{ key, version, schemaVersion, state }];
  });
}

/**
 * One statement, so that its rows and whether the index is complete are of one moment.
 *
 * The plan is the same whatever the server knows of the table: the first condition (a list before a range) reads
 * `actor_index_values`, and each of the others is one lookup by key. A list reads no more than a page per value; a range reads
 * what it matches. What keeps the server from other indexes stands where it is written: an expression has none.
 */
export function whereStatement({ type, fields, conditions, limit, after }: IndexQuery, partitions: number): Statement {
  const parameters: (string | number)[] = [type, JSON.stringify(fields), after ?? "", limit];
  const bind = (value: string): string => `$${parameters.push(value)}`;
  const [first, ...others] = conditions.toSorted((a, b) => Number("from" in a) - Number("from" in b));
  if (first === undefined) throw new RangeError("Cannot query an index without a condition");
  const joins = others.map((condition, at) => {
    const i = `i${at + 1}`;
    return `join actor_index ${i} on ${i}.type = $1 and ${i}.key = i0.key and (${i}.field || '') = ${bind(condition.field)} and ${test(condition, `(${i}.value || '')`, bind)}`;
  });
  const rest = `i0.type = $1 and i0.field = ${bind(first.field)}`;
  // The text is made of constants and numbers of parameters; every value is a parameter.
  const keys =
    "values" in first
      ? `select p.key from unnest(${bind(arrayLiteral(first.values))}::text[]) w (value) cross join lateral (
           select i0.key from actor_index i0 ${joins.join(" ")}
           where ${rest} and (i0.value, i0.key) > (w.value, $3) and i0.value <= w.value order by i0.value, i0.key limit $4::int
         ) p order by p.key limit $4::int`
      : `select i0.key from actor_index i0 ${joins.join(" ")}
         where ${rest} and i0.key > $3 and ${test(first, "i0.value", bind)} order by i0.key || '' limit $4::int`;
  const text = `
    with complete as (
      select count(*) = ${bind(String(partitions))}::int as ok from indexed_fields where type = $1 and fields = $2
    )
    select c.ok as complete, s.key, s.version::float8 as version, s.schema_version as "schemaVersion", s.state
    from complete c
    left join (${keys}) k on c.ok
    left join actor_states s on s.type = $1 and s.key = k.key
    order by s.key`;
  return { text, parameters };
}

function test(condition: IndexCondition, value: string, bind: (value: string) => string): string {
  if ("values" in condition) return `${value} = any(${bind(arrayLiteral(condition.values))}::text[])`;
  return `${value} >= ${bind(condition.from)} and ${value} < ${bind(condition.before)}`;
}

export async function indexedFields(sql: Sql, partitions: readonly number[]): Promise<readonly IndexedFields[]> {
  const rows = await sql<{ type: string; partition: number; fields: string }[]>`
    select type, partition, fields from indexed_fields where partition = any(${arrayLiteral(partitions)}::smallint[])`;
  return rows.map((row) => ({ ...row, fields: JSON.parse(row.fields) as string[] }));
}

/** The partitions stay locked to the end: no commit of theirs can come between what is read and what is written. */
export async function fillIndex(sql: Sql, node: string, fences: readonly Fence[], fill: IndexFill): Promise<void> {
  await sql.begin(async (tx) => {
    // Not worth a flush of its own: the log is in order, so the record or turn that rests on this flushes it too.
    if (fill.complete === undefined) await tx`set local synchronous_commit = off`;
    const held = await tx`
      select 1 from partitions p
      join unnest(${arrayLiteral(fences.map((f) => f.partition))}::smallint[], ${arrayLiteral(fences.map((f) => f.epoch))}::bigint[]) u (id, epoch)
        on p.id = u.id and p.epoch = u.epoch
      where p.owner = ${node} order by p.id for update of p`;
    if (held.length !== fences.length) throw new FencedError("a partition of this index is held by another node");
    const { type, complete } = fill;
    const partitions = arrayLiteral(fences.map((fence) => fence.partition));
    if (fill.actors.length > 0) await writeValues(tx, fences[0]?.partition ?? 0, fill);
    if (complete === undefined) {
      await tx`delete from indexed_fields where type = ${type} and partition = any(${partitions}::smallint[])`;
      return;
    }
    await tx`
      delete from actor_index i
      where type = ${type} and partition = any(${partitions}::smallint[])
        and (not field = any(${arrayLiteral(complete)}::text[])
             or not exists (select 1 from actor_states s where s.type = i.type and s.key = i.key))`;
    await tx`
      insert into indexed_fields (type, partition, fields)
      select ${type}, unnest(${partitions}::smallint[]), ${JSON.stringify(complete)}
      on conflict (type, partition) do update set fields = excluded.fields`;
  });
}

async function writeValues(tx: TransactionSql, partition: number, { type, actors }: IndexFill): Promise<void> {
  const unchanged = await tx<{ key: string }[]>`
    select s.key
    from unnest(${arrayLiteral(actors.map((a) => a.key))}::text[], ${arrayLiteral(actors.map((a) => a.state))}::text[]) u (key, state)
    join actor_states s on s.type = ${type} and s.key = u.key and s.state = u.state`;
  const keys = new Set(unchanged.map(({ key }) => key));
  const rows = actors.flatMap(({ key, values }) =>
    keys.has(key) ? values.map(({ field, value }) => ({ key, field, value })) : [],
  );
  const set = rows.filter(({ value }) => value !== undefined);
  const unset = rows.filter(({ value }) => value === undefined);
  if (set.length > 0) {
    await tx`
      insert into actor_index (type, key, field, value, partition)
      select ${type}, u.key, u.field, u.value, ${partition}::smallint
      from unnest(${arrayLiteral(set.map((r) => r.key))}::text[], ${arrayLiteral(set.map((r) => r.field))}::text[],
                ${arrayLiteral(set.map((r) => r.value ?? null))}::text[]) u (key, field, value)
      on conflict (type, key, field) do update set value = excluded.value`;
  }
  if (unset.length > 0) {
    await tx`
      delete from actor_index i
      using unnest(${arrayLiteral(unset.map((r) => r.key))}::text[], ${arrayLiteral(unset.map((r) => r.field))}::text[]) u (key, field)
      where i.type = ${type} and i.key = u.key and i.field = u.field`;
  }
}
