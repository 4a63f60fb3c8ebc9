import type { ActorId, JournalRecord, OutboxRecord } from "#runtime";
import { eventOfJournal } from "#runtime/internal";
import type { SqlDatabase } from "./database.ts";

type Row = Omit<JournalRecord, "traceparent"> & { readonly traceparent: string | null };

const COLUMNS = "type, key, seq, partition, position, id, name, data, at_ms as at, traceparent";

/** Journal rows of an actor behind a place, in order. */
export function readJournal(
  file: SqlDatabase,
  { type, key, after }: ActorId & { readonly after: number },
  limit: number,
): JournalRecord[] {
  const rows = file.all<Row>(
    `select ${COLUMNS} from journal where type = ? and key = ? and seq > ? order by seq limit ?`,
    ...[type, key, after, limit],
  );
  return rows.map(recordOf);
}

/** Journaled events of a type behind a position of one partition, as the outbox records they were. */
export function readHistory(
  file: SqlDatabase,
  type: string,
  { partition, after }: { readonly partition: number; readonly after: number },
  limit: number,
): OutboxRecord[] {
  const rows = file.all<Row>(
    `select ${COLUMNS} from journal where type = ? and partition = ? and position > ? order by position limit ?`,
    ...[type, partition, Math.max(after, 0), limit],
  );
  return rows.map((row) => eventOfJournal(recordOf(row)));
}

function recordOf(row: Row): JournalRecord {
  return { ...row, traceparent: row.traceparent ?? undefined };
}
