import type { ActorId, TimerPlace, TimerRow } from "#runtime";
import type { SqlDatabase } from "./database.ts";

type Row = Omit<TimerRow, "input" | "schedule" | "traceparent"> & {
  readonly input: string | null;
  readonly schedule: string | null;
  readonly traceparent: string | null;
};

const COLUMNS = 'type, key, name, partition, due_ms as "dueAt", message, input, schedule, traceparent';

/** Timers due before a moment, soonest first, without those of paused actors. */
export function dueTimers(
  file: SqlDatabase,
  partitions: readonly number[],
  before: number,
  limit: number,
  after: TimerPlace = { dueAt: Number.MIN_SAFE_INTEGER, type: "", key: "", name: "" },
): TimerRow[] {
  const rows = file.all<Row>(
    `select ${COLUMNS} from timers t
     where partition in (select value from json_each(?)) and due_ms < ?
       and (due_ms, type, key, name) > (?, ?, ?, ?)
       and not exists (select 1 from paused_actors p where p.type = t.type and p.key = t.key)
     order by due_ms, type, key, name limit ?`,
    ...[JSON.stringify(partitions), before, after.dueAt, after.type, after.key, after.name, limit],
  );
  return rows.map(timerOf);
}

/** All timers of an actor, in order of their name. */
export function timersOf(file: SqlDatabase, { type, key }: ActorId): TimerRow[] {
  return file
    .all<Row>(`select ${COLUMNS} from timers where type = ? and key = ? order by name`, type, key)
    .map(timerOf);
}

function timerOf(row: Row): TimerRow {
  const { input, schedule, traceparent } = row;
  return {
    ...row,
    input: input ?? undefined,
    schedule: schedule ?? undefined,
    traceparent: traceparent ?? undefined,
  };
}
