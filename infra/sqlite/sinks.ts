import type { CursorRow, KnownSink, OutboxKind } from "#runtime";
import type { SqlDatabase } from "./database.ts";

/** Says that a process has these sinks. */
export function registerSinks(file: SqlDatabase, sinks: readonly KnownSink[], at: number): void {
  for (const { name, kind } of sinks) {
    file.run(
      `insert into sinks (name, kind, seen_ms) values (?, ?, ?)
       on conflict (name) do update set kind = excluded.kind, seen_ms = max(seen_ms, excluded.seen_ms)`,
      ...[name, kind, at],
    );
  }
}

/** Forgets the sinks that no process has had since `before`, with their cursors. Returns their names. */
export function forgetSinks(file: SqlDatabase, before: number): string[] {
  const names = file.all<{ name: string }>("delete from sinks where seen_ms < ? returning name", before);
  for (const { name } of names) file.run("delete from cursors where sink = ?", name);
  return names.map(({ name }) => name);
}

/** The time of the oldest record of a kind that a sink has not passed. */
export function oldestAhead(file: SqlDatabase, sink: string, kind: OutboxKind): number | undefined {
  const row = file.get<{ at: number | null }>(
    `select min(o.at_ms) as at from partitions p
     left join cursors c on c.sink = ? and c.partition = p.id
     join outbox o on o.partition = p.id and o.seq > coalesce(c.seq, 0) and o.kind = ?`,
    ...[sink, kind],
  );
  return row?.at ?? undefined;
}

/** How far each sink has got in each of the partitions. */
export function readCursors(file: SqlDatabase, partitions: readonly number[]): CursorRow[] {
  return file.all<CursorRow>(
    "select sink, partition, seq from cursors where partition in (select value from json_each(?))",
    JSON.stringify(partitions),
  );
}

/** Moves cursors forward; one never moves back. */
export function saveCursors(file: SqlDatabase, cursors: readonly CursorRow[]): void {
  for (const { sink, partition, seq } of cursors) {
    file.run(
      `insert into cursors (sink, partition, seq) values (?, ?, ?)
       on conflict (sink, partition) do update set seq = excluded.seq where excluded.seq > seq`,
      ...[sink, partition, seq],
    );
  }
}
