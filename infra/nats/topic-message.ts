import type { JsMsg } from "@nats-io/jetstream";
import { isTopic, type OutboxRecord } from "#runtime";
import type { EventMessage } from "./message.ts";
import { wireHeader } from "./wire-headers.ts";

/** Where broadcasts go when nothing else is said: `topic.orders.ord_42`. */
export const TOPIC_SUBJECT_PREFIX = "topic";

const TYPE_HEADER = "Troupe-Type";
/** Room for the names and fixed values of the headers, and for those a batch adds. */
const HEADER_BYTES = 320;

const encoder = new TextEncoder();

/**
 * The subject of a topic, one to one: a slash becomes a dot, and a dot `=`, which no topic holds.
 * `topic.orders.ord_42` for `orders/ord_42`.
 * @throws {RangeError} the text names no topic.
 */
export function topicSubject(topic: string, prefix: string): string {
  if (!isTopic(topic))
    throw new RangeError(`Cannot derive a subject from ${JSON.stringify(topic.slice(0, 80))} as it names no topic`);
  return `${prefix}.${topic.replaceAll(".", "=").replaceAll("/", ".")}`;
}

/** The topic of a subject that {@link topicSubject} made. */
export function topicOf(subject: string, prefix: string): string {
  return subject
    .slice(prefix.length + 1)
    .replaceAll(".", "/")
    .replaceAll("=", ".");
}

/** A broadcast as it goes to NATS: the data as payload, the type as header. @throws {RangeError} its target is no topic. */
export function topicMessage(record: OutboxRecord, prefix: string): EventMessage {
  const subject = topicSubject(record.target, prefix);
  const payload = encoder.encode(record.body);
  const sizeBytes = payload.length + HEADER_BYTES + record.id.length + 2 * record.name.length;
  return {
    subject,
    payload,
    record,
    sizeBytes,
    headers: { "content-type": "application/json", [TYPE_HEADER]: record.name },
  };
}

/** A broadcast as it comes back. */
export function readTopicMessage(
  message: JsMsg,
  prefix: string,
): { readonly topic: string; readonly type: string; readonly body: string } {
  return {
    topic: topicOf(message.subject, prefix),
    type: wireHeader(message, TYPE_HEADER) ?? "",
    body: message.string(),
  };
}
