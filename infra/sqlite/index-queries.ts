import {
  type ActorRow,
  type IndexCondition,
  type IndexedFields,
  type IndexFill,
  type IndexQuery,
  PARTITION_COUNT,
} from "#runtime";
import { writeIndex } from "./commit.ts";
import type { SqliteFile, Value } from "./file.ts";

/** The rows of an index query; `undefined` where the index is not complete at the moment it is read. */
export function where(file: SqliteFile, query: IndexQuery): readonly ActorRow[] | undefined {
  const { type, fields, conditions, limit, after } = query;
  return file.read(() => {
    const complete = file.get<{ count: number }>(
      "select count(*) as count from indexed_fields where type = ? and fields = ?",
      type,
      JSON.stringify(fields),
    );
    if (complete?.count !== PARTITION_COUNT) return undefined;
    const joins = conditions
      .slice(1)
      .map((_, i) => `join actor_index i${i + 1} on i${i + 1}.type = i0.type and i${i + 1}.key = i0.key`);
    const tests = conditions.map((condition, i) => `i${i}.field = ? and ${test(condition, i)}`);
    // The text is made of constants and numbers; every value is a parameter.
    return file.all<ActorRow>(
      `select s.key, s.version, s.state from (
         select i0.key from actor_index i0 ${joins.join(" ")}
         where i0.type = ? and i0.key > ? and ${tests.join(" and ")} order by i0.key limit ?
       ) k join actor_states s on s.type = ? and s.key = k.key order by s.key`,
      ...[type, after ?? "", ...conditions.flatMap(valuesOf), limit, type],
    );
  });
}

function test(condition: IndexCondition, i: number): string {
  return "values" in condition
    ? `i${i}.value in (select value from json_each(?))`
    : `i${i}.value >= ? and i${i}.value < ?`;
}

function valuesOf(condition: IndexCondition): readonly Value[] {
  if ("values" in condition) return [condition.field, JSON.stringify(condition.values)];
  return [condition.field, condition.from, condition.before];
}

export function indexedFields(file: SqliteFile, partitions: readonly number[]): readonly IndexedFields[] {
  const rows = file.all<{ type: string; partition: number; fields: string }>(
    "select type, partition, fields from indexed_fields where partition in (select value from json_each(?))",
    JSON.stringify(partitions),
  );
  return rows.map((row) => ({ ...row, fields: JSON.parse(row.fields) as string[] }));
}

/** To be called in a transaction, after its fence. */
export function fillIndex(file: SqliteFile, partitions: readonly number[], fill: IndexFill): void {
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
