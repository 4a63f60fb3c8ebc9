import type { OutboxKind, OutboxRecord } from "#runtime";
import type { SqlDatabase } from "./database.ts";

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
  file: SqlDatabase,
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

/**
 * Deletes rows of the partitions that all known sinks of their kind have passed and that are older than `before`, at most
 * `limit`. Returns how many.
 */
export function pruneOutbox(file: SqlDatabase, partitions: readonly number[], before: number, limit: number): number {
  return file.run(
    `delete from outbox where (partition, seq) in (
       select o.partition, o.seq from outbox o
       join (
         select p.value as partition, s.kind, min(coalesce(c.seq, 0)) as seq
         from json_each(?) p cross join sinks s
         left join cursors c on c.sink = s.name and c.partition = p.value
         group by p.value, s.kind
       ) passed on passed.partition = o.partition and passed.kind = o.kind
       where o.seq <= passed.seq and o.at_ms < ? limit ?)`,
    ...[JSON.stringify(partitions), before, limit],
  );
}
