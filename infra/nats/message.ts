import { headers, type MsgHdrs } from "@nats-io/transport-node";
import { type OutboxRecord, toCloudEvent } from "#runtime";
import { eventSubject } from "./subjects.ts";

/** One event as it goes to NATS. */
export interface EventMessage {
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly record: OutboxRecord;
  /** Bytes on the wire, headers included, rounded up. */
  readonly sizeBytes: number;
}

/** Room for the header names, the fixed values and those a batch adds. */
const HEADER_BYTES = 320;

const encoder = new TextEncoder();

/** @throws {RangeError} no subject can be derived from the event type. */
export function eventMessage(record: OutboxRecord, subjectPrefix: string): EventMessage {
  const subject = eventSubject(record.name, subjectPrefix);
  const payload = encoder.encode(toCloudEvent(record));
  const sizeBytes = payload.length + HEADER_BYTES + 2 * record.id.length + (record.traceparent?.length ?? 0);
  return { subject, payload, record, sizeBytes };
}

/** `Nats-Msg-Id` and `ce_id` (both the event's id), `content-type` and, where known, `traceparent`. Fresh each time. */
export function eventHeaders({ record }: EventMessage): MsgHdrs {
  const made = headers();
  made.set("Nats-Msg-Id", record.id);
  made.set("ce_id", record.id);
  made.set("content-type", "application/cloudevents+json");
  if (record.traceparent !== undefined) made.set("traceparent", record.traceparent);
  return made;
}
