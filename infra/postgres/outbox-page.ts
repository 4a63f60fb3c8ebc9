import type { OutboxKind, OutboxRecord } from "#runtime";

/** A row of the outbox: what one commit left of one kind in one partition, in sequence order. */
export interface OutboxPage {
  readonly partition: number;
  readonly kind: OutboxKind;
  readonly lastSeq: number;
  readonly count: number;
  /** The time of its youngest record. */
  readonly at: number;
  /** The records as JSON: a list of {@link Entry}. */
  readonly records: string;
}

/** A record without what its page tells. `target` is null where it is the key. */
type Entry = readonly [
  seq: number,
  id: string,
  name: string,
  type: string,
  key: string,
  target: string | null,
  traceparent: string | null,
  at: number,
  body: string,
];

/** Bounds what is read at once to get at one record. */
const MAX_RECORDS = 200;

/** Puts the records of a commit into pages: a row costs more than what is in it. */
export function pagesOf(records: readonly OutboxRecord[]): OutboxPage[] {
  const open = new Map<string, OutboxRecord[]>();
  const groups: OutboxRecord[][] = [];
  for (const record of records) {
    const id = `${record.partition} ${record.kind}`;
    const group = open.get(id);
    if (group !== undefined && group.length < MAX_RECORDS) {
      group.push(record);
      continue;
    }
    const next = [record];
    open.set(id, next);
    groups.push(next);
  }
  return groups.map(pageOf);
}

function pageOf(records: readonly OutboxRecord[]): OutboxPage {
  const last = records.at(-1) as OutboxRecord;
  const entries = records.map(({ seq, id, name, actor: { type, key }, target, traceparent, at, body }): Entry => [
    seq,
    id,
    name,
    type,
    key,
    target === key ? null : target,
    traceparent ?? null,
    at,
    body,
  ]);
  return {
    partition: last.partition,
    kind: last.kind,
    lastSeq: last.seq,
    count: records.length,
    at: Math.max(...records.map((record) => record.at)),
    records: JSON.stringify(entries),
  };
}

/** The records of a page behind `after`. */
export function recordsOf(
  { partition, kind, records }: Pick<OutboxPage, "partition" | "kind" | "records">,
  after: number,
): OutboxRecord[] {
  const entries = JSON.parse(records) as readonly Entry[];
  const behind = entries.filter(([seq]) => seq > after);
  return behind.map(([seq, id, name, type, key, target, traceparent, at, body]) => ({
    partition,
    seq,
    kind,
    id,
    name,
    actor: { type, key },
    target: target ?? key,
    traceparent: traceparent ?? undefined,
    at,
    body,
  }));
}
