/** Timers of actors. */

import type { ActorId, TimerPlace, TimerRow } from "#runtime";
import { arrayLiteral } from "./array-literal.ts";
import type { Pool } from "./pool.ts";

/** Timers due before `before`, in their order, behind `after`. */
export async function dueTimers(
  pool: Pool,
  partitions: readonly number[],
  before: number,
  limit: number,
  after?: TimerPlace,
): Promise<readonly TimerRow[]> {
  const rows = await pool.run(
    (sql) => sql<StoredTimer[]>`
      select type, key, name, partition, due_ms::float8 as "dueAt", message, input, schedule, traceparent from timers t
      where partition = any(${arrayLiteral(partitions)}::smallint[]) and due_ms < ${before}::bigint
        ${after === undefined ? sql`` : sql`and due_ms >= ${after.dueAt}::bigint and (due_ms, type, key, name) > (${after.dueAt}::bigint, ${after.type}, ${after.key}, ${after.name})`}
        and not exists (select 1 from paused_actors p where p.type = t.type and p.key = t.key)
      order by due_ms, type, key, name limit ${limit}::int`,
  );
  return rows.map(timerOf);
}

/** All timers of one actor, in order of their name. */
export async function timersOf(pool: Pool, { type, key }: ActorId): Promise<readonly TimerRow[]> {
  const rows = await pool.run(
    (sql) => sql<StoredTimer[]>`
      select type, key, name, partition, due_ms::float8 as "dueAt", message, input, schedule, traceparent from timers
      where type = ${type} and key = ${key} order by name`,
  );
  return rows.map(timerOf);
}

/** A timer as its row is read. */
type StoredTimer = Omit<TimerRow, "input" | "schedule" | "traceparent"> & {
  readonly input: string | null;
  readonly schedule: string | null;
  readonly traceparent: string | null;
};

function timerOf(row: StoredTimer): TimerRow {
  const { input, schedule, traceparent } = row;
  return {
    ...row,
    input: input ?? undefined,
    schedule: schedule ?? undefined,
    traceparent: traceparent ?? undefined,
  };
}
