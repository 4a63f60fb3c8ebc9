import type { ActorRow, IndexCondition, IndexedFields, IndexFill, IndexQuery } from "#runtime";
import { writeIndex } from "./commit.ts";
import type { SqlDatabase, Value } from "./database.ts";

/** Conditions that more rows than this meet are not worth sorting by key: the keys are walked in order instead. */
const MANY = 5_000;

/** The rows of an index query; `undefined` where the index is not complete, in all partitions, at the moment it is read. */
export function where(file: SqlDatabase, query: IndexQuery, partitions: number): readonly ActorRow[] | undefined {
  const { type, fields } = query;
  return file.read(() => {
    const complete = file.get<{ count: number }>(
      "select count(*) as count from indexed_fields where type = ? and fields = ?",
      ...[type, JSON.stringify(fields)],
    );
    if (complete?.count !== partitions) return undefined;
    const { text, values } = keysStatement(file, query);
    return file.all<{ key: string }>(text, ...values).flatMap(({ key }) => {
      const row = file.get<ActorRow>(
        'select key, version, schema_version as "schemaVersion", state from actor_states where type = ? and key = ?',
        type,
        key,
      );
      return row ?? [];
    });
  });
}

/**
 * The query for the keys. The condition that the fewest rows meet leads and the others are looked up for each of its
 * rows; where all are met by many, the keys are walked in order. The planner is told so by `indexed by` and `cross join`,
 * because without statistics it may choose a plan of quadratic cost.
 */
export function keysStatement(
  file: SqlDatabase,
  { type, conditions, limit, after }: IndexQuery,
): { readonly text: string; readonly values: readonly Value[] } {
  const counted = conditions.map((condition) => ({ condition, count: countUpTo(file, type, condition, MANY) }));
  const ordered = counted.toSorted((a, b) => a.count - b.count);
  const [first] = ordered;
  // One value lies in the order of the keys already.
  const isOrdered =
    ordered.length === 1 && first !== undefined && "values" in first.condition && first.condition.values.length === 1;
  const lead = isOrdered || (first?.count ?? 0) < MANY ? "actor_index_values" : "actor_index_keys";
  const tables = ordered.map((_, i) =>
    i === 0
      ? `actor_index i0 indexed by ${lead}`
      : `cross join actor_index i${i} indexed by actor_index_keys on i${i}.type = i0.type and i${i}.key = i0.key`,
  );
  const tests = ordered.map(({ condition }, i) => `i${i}.field = ? and ${test(condition, `i${i}.value`)}`);
  // The text is made of constants and numbers; every value is a parameter.
  const text = `
    select i0.key from ${tables.join(" ")}
    where i0.type = ? and i0.key > ? and ${tests.join(" and ")} order by i0.key limit ?`;
  return { text, values: [type, after ?? "", ...ordered.flatMap(({ condition }) => valuesOf(condition)), limit] };
}

function countUpTo(file: SqlDatabase, type: string, condition: IndexCondition, limit: number): number {
  const row = file.get<{ count: number }>(
    `select count(*) as count from (
       select 1 from actor_index indexed by actor_index_values where type = ? and field = ? and ${test(condition, "value")} limit ?)`,
    ...[type, ...valuesOf(condition), limit],
  );
  return row?.count ?? 0;
}

function test(condition: IndexCondition, value: string): string {
  if (!("values" in condition)) return `${value} >= ? and ${value} < ?`;
  return condition.values.length === 1 ? `${value} = ?` : `${value} in (select value from json_each(?))`;
}

function valuesOf(condition: IndexCondition): readonly Value[] {
  if (!("values" in condition)) return [condition.field, condition.from, condition.before];
  const [only] = condition.values;
  return [
    condition.field,
    only !== undefined && condition.values.length === 1 ? only : JSON.stringify(condition.values),
  ];
}

export function indexedFields(file: SqlDatabase, partitions: readonly number[]): readonly IndexedFields[] {
  const rows = file.all<{ type: string; partition: number; fields: string }>(
    "select type, partition, fields from indexed_fields where partition in (select value from json_each(?))",
    JSON.stringify(partitions),
  );
  return rows.map((row) => ({ ...row, fields: JSON.parse(row.fields) as string[] }));
}

/** To be called in a transaction, after its fence. */
export function fillIndex(file: SqlDatabase, partitions: readonly number[], fill: IndexFill): void {
  const { type, actors, complete } = fill;
  const [partition = 0] = partitions;
  for (const { key, state, values } of actors) {
    const stored = file.get<{ state: string }>("select state from actor_states where type = ? and key = ?", type, key);
    if (stored?.state !== state) continue;
    writeIndex(
      file,
      values.map((value) => ({ type, key, partition, ...value })),
    );
  }
  const where = "type = ? and partition in (select value from json_each(?))";
  const ids = JSON.stringify(partitions);
  if (complete === undefined) {
    file.run(`delete from indexed_fields where ${where}`, type, ids);
    return;
  }
  file.run(
    `delete from actor_index where ${where} and (field not in (select value from json_each(?))
       or not exists (select 1 from actor_states s where s.type = actor_index.type and s.key = actor_index.key))`,
    ...[type, ids, JSON.stringify(complete)],
  );
  for (const id of partitions) {
    file.run(
      "insert or replace into indexed_fields (type, partition, fields) values (?, ?, ?)",
      ...[type, id, JSON.stringify(complete)],
    );
  }
}
