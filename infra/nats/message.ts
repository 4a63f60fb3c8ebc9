import type { MsgHdrs } from "@nats-io/transport-node";
import { type OutboxRecord, toCloudEvent } from "#runtime";
import { eventSubject } from "./subjects.ts";
import { wireHeaders } from "./wire-headers.ts";

/** One event as it goes to NATS. */
export interface EventMessage {
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly record: OutboxRecord;
  /** Bytes on the wire, headers included, rounded up. */
  readonly sizeBytes: number;
  /** Beside `Nats-Msg-Id` and the trace. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Room for the header names, the fixed values and those a batch adds. */
const HEADER_BYTES = 320;

const encoder = new TextEncoder();

/** @throws {RangeError} no subject can be derived from the event type. */
export function eventMessage(record: OutboxRecord, subjectPrefix: string): EventMessage {
  const subject = eventSubject(record.name, subjectPrefix);
  const payload = encoder.encode(toCloudEvent(record));
  const sizeBytes = payload.length + HEADER_BYTES + 2 * record.id.length + (record.traceparent?.length ?? 0);
  const made = { ce_id: record.id, "content-type": "application/cloudevents+json" };
  return { subject, payload, record, sizeBytes, headers: made };
}

/**
 * `Nats-Msg-Id` (the record's id), those of the message (`ce_id`, `content-type`), where known `traceparent`, and `further`
 * ones. To be sent once.
 */
export function eventHeaders(
  { record, headers: own }: EventMessage,
  further: readonly (readonly [string, string])[] = [],
): MsgHdrs {
  const all: (readonly [string, string])[] = [["Nats-Msg-Id", record.id], ...Object.entries(own), ...further];
  if (record.traceparent !== undefined) all.push(["traceparent", record.traceparent]);
  return wireHeaders(all);
}
