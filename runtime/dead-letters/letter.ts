import { parseAddress } from "../message/address.ts";
import type { DeadLetter, DeadLetterReason, OutboxRecord } from "../ports/store.ts";

/** The dead letter of a record its sink will never take. */
export function deadLetter(
  sink: string,
  record: OutboxRecord,
  detail: string,
  attempts: number,
  at: number,
  reason: DeadLetterReason = record.kind === "send" ? "poison" : "broker",
): DeadLetter {
  return {
    id: letterId(sink, record),
    reason,
    detail,
    target: record.kind === "send" ? record.target : sink,
    attempts,
    record: JSON.stringify(record),
    at,
    type: record.kind === "send" ? parseAddress(record.target).type : record.name,
    key: record.kind === "send" ? record.target : `${sink}:${record.target}`,
  };
}

/** The id of the dead letter that a record becomes. */
export function letterId(sink: string, record: OutboxRecord): string {
  return `${sink}:${record.id}`;
}
