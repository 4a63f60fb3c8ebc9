import type { DeadLetter, DeadLetterFilter, StoredDeadLetter } from "#runtime";
import type { SqliteFile } from "./file.ts";

type Row = Omit<StoredDeadLetter, "type"> & { readonly type: string | null };

const COLUMNS = "id, reason, detail, target, attempts, record, at_ms as at, type, key, position";

/** Keeps dead letters, the first of each id. */
export function insertDeadLetters(file: SqliteFile, letters: readonly DeadLetter[]): void {
  for (const { id, reason, detail, target, attempts, record, at, type, key } of letters) {
    file.run(
      `insert into dead_letters (id, reason, detail, target, attempts, record, at_ms, type, key)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict (id) do nothing`,
      ...[id, reason, detail, target, attempts, record, at, type ?? null, key ?? target],
    );
  }
}

/** Dead letters that fit, by position, after `after`. */
export function selectDeadLetters(
  file: SqliteFile,
  { reason, type, key }: DeadLetterFilter,
  { limit, after }: { readonly limit: number; readonly after: number },
): StoredDeadLetter[] {
  const given = Object.entries({ reason, type, key }).flatMap(([column, value]) =>
    value === undefined ? [] : [{ test: `and ${column} = ?`, value }],
  );
  const tests = given.map(({ test }) => test).join(" ");
  const rows = file.all<Row>(
    `select ${COLUMNS} from dead_letters where position > ? ${tests} order by position limit ?`,
    ...[after, ...given.map(({ value }) => value), limit],
  );
  return rows.map(letterOf);
}

/** The dead letter of an id. */
export function selectDeadLetter(file: SqliteFile, id: string): StoredDeadLetter | undefined {
  const row = file.get<Row>(`select ${COLUMNS} from dead_letters where id = ?`, id);
  return row === undefined ? undefined : letterOf(row);
}

function letterOf(row: Row): StoredDeadLetter {
  return { ...row, type: row.type ?? undefined };
}
