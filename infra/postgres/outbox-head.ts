import type { OutboxRecord } from "#runtime";

type Head = readonly [id: string, name: string, type: string, key: string, target: string, traceparent: string | null];

/** What a record carries and nobody searches by, as the one value that is stored of it. */
export function headOf({ id, name, actor, target, traceparent }: OutboxRecord): string {
  const head: Head = [id, name, actor.type, actor.key, target, traceparent ?? null];
  return JSON.stringify(head);
}

/** The record of an outbox row. */
export function recordOf(
  row: Pick<OutboxRecord, "partition" | "seq" | "kind" | "at" | "body"> & { readonly head: string },
): OutboxRecord {
  const [id, name, type, key, target, traceparent] = JSON.parse(row.head) as Head;
  const { partition, seq, kind, at, body } = row;
  return {
    partition,
    seq,
    kind,
    at,
    body,
    id,
    name,
    actor: { type, key },
    target,
    traceparent: traceparent ?? undefined,
  };
}
