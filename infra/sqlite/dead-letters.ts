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
import type { SqlDatabase, Value } from "./database.ts";

type Row = Omit<StoredDeadLetter, "type" | "original" | "edits"> & {
  readonly type: string | null;
  readonly original: string | null;
  readonly edits: string | null;
};

const COLUMNS = "id, reason, detail, target, attempts, record, at_ms as at, type, key, position, original, edits";

/** Keeps dead letters, the first of each id. */
export function insertDeadLetters(file: SqlDatabase, letters: readonly DeadLetter[]): void {
  for (const { id, reason, detail, target, attempts, record, at, type, key } of letters) {
    file.run(
      `insert into dead_letters (id, reason, detail, target, attempts, record, at_ms, type, key)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?) on conflict (id) do nothing`,
      ...[id, reason, detail, target, attempts, record, at, type ?? null, key ?? target],
    );
  }
}

/** Dead letters that fit, by position. */
export function selectDeadLetters(
  file: SqlDatabase,
  filter: DeadLetterFilter,
  { limit, after, upTo = Number.MAX_SAFE_INTEGER }: DeadLetterWindow,
): StoredDeadLetter[] {
  const { tests, values } = fits(filter);
  const rows = file.all<Row>(
    `select ${COLUMNS} from dead_letters where position > ? and position <= ? ${tests} order by position limit ?`,
    ...[after, upTo, ...values, limit],
  );
  return rows.map(letterOf);
}

/** The dead letter of an id. */
export function selectDeadLetter(file: SqlDatabase, id: string): StoredDeadLetter | undefined {
  const row = file.get<Row>(`select ${COLUMNS} from dead_letters where id = ?`, id);
  return row === undefined ? undefined : letterOf(row);
}

/** The highest position; 0 without dead letters. */
export function lastDeadLetter(file: SqlDatabase): number {
  return file.get<{ last: number | null }>("select max(position) as last from dead_letters")?.last ?? 0;
}

/** Which of the keys have a dead letter that fits, up to a position. */
export function keysWithDeadLetters(
  file: SqlDatabase,
  filter: DeadLetterFilter,
  keys: readonly string[],
  upTo: number,
): string[] {
  const { tests, values } = fits(filter);
  const rows = file.all<{ key: string }>(
    `select u.value as key from json_each(?) u
     where exists (select 1 from dead_letters where dead_letters.key = u.value and position <= ? ${tests})`,
    ...[JSON.stringify(keys), upTo, ...values],
  );
  return rows.map(({ key }) => key);
}

/** Exact counts, as the triggers keep them. */
export function countDeadLetters(file: SqlDatabase): DeadLetterCount[] {
  return file.all<DeadLetterCount>("select reason, count from dead_letter_counts where count > 0");
}

/** What fits, by reason. */
export function summarizeDeadLetters(file: SqlDatabase, filter: DeadLetterFilter): DeadLetterSummary[] {
  const { tests, values } = fits(filter);
  return file.all<DeadLetterSummary>(
    `select reason, count(*) as count, min(at_ms) as oldest, max(at_ms) as newest
     from dead_letters where true ${tests} group by reason`,
    ...values,
  );
}

/** Writes what an edit changed, if the dead letter still holds `was`. */
export function updateDeadLetter(
  file: SqlDatabase,
  id: string,
  was: string,
  { record, original, edits }: DeadLetterChange,
): boolean {
  const changed = file.run(
    "update dead_letters set record = ?, original = ?, edits = ? where id = ? and record = ?",
    ...[record, original ?? null, edits === undefined ? null : JSON.stringify(edits), id, was],
  );
  return changed > 0;
}

/** Claims keys that nobody else has. */
export function claimDeadLetterKeys(
  file: SqlDatabase,
  keys: readonly string[],
  owner: string,
  forMs: number,
): string[] {
  const now = Date.now();
  const rows = file.all<{ key: string }>(
    `insert into dead_letter_claims (key, owner, until_ms)
     select distinct value, ?, ? from json_each(?) where true
     on conflict (key) do update set owner = excluded.owner, until_ms = excluded.until_ms
     where dead_letter_claims.owner = excluded.owner or dead_letter_claims.until_ms <= ?
     returning key`,
    ...[owner, now + forMs, JSON.stringify(keys), now],
  );
  return rows.map(({ key }) => key);
}

/** Gives up claims, and forgets those that ran out long ago. */
export function releaseDeadLetterKeys(file: SqlDatabase, keys: readonly string[], owner: string): void {
  file.run(
    "delete from dead_letter_claims where (owner = ? and key in (select value from json_each(?))) or until_ms < ?",
    ...[owner, JSON.stringify(keys), Date.now() - 3_600_000],
  );
}

/** Deletes dead letters. */
export function deleteDeadLetters(file: SqlDatabase, ids: readonly string[]): number {
  // Counted by what comes back: the number of changes may hold those of triggers.
  const gone = file.all(
    "delete from dead_letters where id in (select value from json_each(?)) returning 1",
    JSON.stringify(ids),
  );
  return gone.length;
}

function fits({ reason, type, key, from, before }: DeadLetterFilter): {
  readonly tests: string;
  readonly values: Value[];
} {
  const given: { readonly test: string; readonly value: Value }[] = [];
  const add = (test: string, value: Value | undefined): void => {
    if (value !== undefined) given.push({ test, value });
  };
  add("and reason = ?", reason);
  add("and type = ?", type);
  add("and dead_letters.key = ?", key);
  add("and at_ms >= ?", from);
  add("and at_ms < ?", before);
  return { tests: given.map(({ test }) => test).join(" "), values: given.map(({ value }) => value) };
}

function letterOf({ edits, original, ...row }: Row): StoredDeadLetter {
  return {
    ...row,
    type: row.type ?? undefined,
    original: original ?? undefined,
    edits: edits === null ? undefined : (JSON.parse(edits) as DeadLetterEdit[]),
  };
}
