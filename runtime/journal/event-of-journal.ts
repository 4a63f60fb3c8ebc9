import type { JournalRecord, OutboxRecord } from "../ports/store.ts";

/** A journaled event as the outbox record it was published as. */
export function eventOfJournal({ type, key, position, data, ...row }: JournalRecord): OutboxRecord {
  const { partition, id, name, at, traceparent } = row;
  return {
    partition,
    seq: position,
    kind: "event",
    id,
    name,
    actor: { type, key },
    target: key,
    body: data,
    at,
    traceparent,
  };
}
