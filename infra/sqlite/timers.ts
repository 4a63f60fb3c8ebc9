import type { ActorId, TimerRow } from "#runtime";
import type { SqliteFile } from "./file.ts";

type Row = Omit<TimerRow, "input" | "schedule"> & { readonly input: string | null; readonly schedule: string | null };

const COLUMNS = 'type, key, name, partition, due_ms as "dueAt", message, input, schedule';

/** Timers due before a moment, soonest first, without those of paused actors. */
export function dueTimers(file: SqliteFile, partitions: readonly number[], before: number, limit: number): TimerRow[] {
  const rows = file.all<Row>(
    `select ${COLUMNS} from timers t
     where partition in (select value from json_each(?)) and due_ms < ?
       and not exists (select 1 from paused_actors p where p.type = t.type and p.key = t.key)
     order by due_ms limit ?`,
    ...[JSON.stringify(partitions), before, limit],
  );
  return rows.map(timerOf);
}

/** All timers of an actor, in order of their name. */
export function timersOf(file: SqliteFile, { type, key }: ActorId): TimerRow[] {
  return file
    .all<Row>(`select ${COLUMNS} from timers where type = ? and key = ? order by name`, type, key)
    .map(timerOf);
}

/** Deletes timers, unless they were set anew. */
export function deleteTimers(file: SqliteFile, timers: readonly TimerRow[]): void {
  for (const { type, key, name, dueAt } of timers) {
    file.run("delete from timers where type = ? and key = ? and name = ? and due_ms = ?", ...[type, key, name, dueAt]);
  }
}

function timerOf(row: Row): TimerRow {
  return { ...row, input: row.input ?? undefined, schedule: row.schedule ?? undefined };
}
