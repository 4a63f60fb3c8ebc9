import type { OutboxKind, OutboxRecord } from "#runtime";
import type { SqliteFile } from "./file.ts";

interface Row {
  readonly partition: number;
  readonly seq: number;
  readonly kind: OutboxKind;
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly key: string;
  readonly target: string;
  readonly body: string;
  readonly at: number;
  readonly traceparent: string | null;
}

/** Rows of a kind behind a position of one partition, in order. */
export function readOutbox(
  file: SqliteFile,
  kind: OutboxKind,
  { partition, after }: { readonly partition: number; readonly after: number },
  limit: number,
): OutboxRecord[] {
  const rows = file.all<Row>(
    `select partition, seq, kind, id, name, actor_type as type, actor_key as key, target, body, at_ms as at, traceparent
     from outbox where partition = ? and seq > ? and kind = ? order by seq limit ?`,
    ...[partition, after, kind, limit],
  );
  return rows.map(({ type, key, traceparent, ...row }) => ({
    ...row,
    actor: { type, key },
    traceparent: traceparent ?? undefined,
  }));
}

/** Deletes the rows of a partition that all sinks have passed and that are older than `before`. Returns how many. */
export function pruneOutbox(file: SqliteFile, partition: number, sinks: readonly string[], before: number): number {
  const passed = file.get<{ seq: number }>(
    `select case when count(*) = ? then min(seq) else 0 end as seq from cursors
     where partition = ? and sink in (select value from json_each(?))`,
    ...[sinks.length, partition, JSON.stringify(sinks)],
  );
  return file.run(
    "delete from outbox where partition = ? and seq <= ? and at_ms < ?",
    partition,
    passed?.seq ?? 0,
    before,
  );
}
