import { type OutboxRecord, toCloudEvent } from "#runtime";
import { eventTopic } from "./topics.ts";

/** One message as it goes to Kafka. */
export interface KafkaMessage {
  readonly topic: string;
  readonly key: Buffer;
  readonly value: Buffer;
  readonly headers: Map<Buffer, Buffer>;
  readonly timestamp: bigint;
  /** Bytes in the record batch, rounded up. */
  readonly sizeBytes: number;
}

/** The message of an event. */
export interface EventMessage extends KafkaMessage {
  readonly record: OutboxRecord;
}

/** Lengths, offsets and header names of a record, and its part of the batch's head. */
const OVERHEAD_BYTES = 160;
const CE_ID = Buffer.from("ce_id");
const CE_TYPE = Buffer.from("ce_type");
const CONTENT_TYPE = Buffer.from("content-type");
const TRACEPARENT = Buffer.from("traceparent");
const CLOUD_EVENT = Buffer.from("application/cloudevents+json");

/**
 * Key: the actor's key. Value: the CloudEvent. Headers: `ce_id`, `ce_type`, `content-type` and, where known,
 * `traceparent`.
 * @throws {RangeError} no topic can be derived from the event type.
 */
export function eventMessage(record: OutboxRecord, topicPrefix: string): EventMessage {
  const topic = eventTopic(record.name, topicPrefix);
  const id = Buffer.from(record.id);
  const type = Buffer.from(record.name);
  const headers = new Map([
    [CE_ID, id],
    [CE_TYPE, type],
    [CONTENT_TYPE, CLOUD_EVENT],
  ]);
  if (record.traceparent !== undefined) headers.set(TRACEPARENT, Buffer.from(record.traceparent));
  const key = Buffer.from(record.actor.key);
  const value = Buffer.from(toCloudEvent(record));
  const sizeBytes =
    value.length + key.length + id.length + type.length + (record.traceparent?.length ?? 0) + OVERHEAD_BYTES;
  return { topic, key, value, headers, timestamp: BigInt(record.at), record, sizeBytes };
}

/** Cuts messages into runs of at most `maxBytes`, in order; a single message may be larger. */
export function* runs<M extends KafkaMessage>(messages: readonly M[], maxBytes: number): Generator<readonly M[]> {
  let from = 0;
  let bytes = 0;
  for (let i = 0; i < messages.length; i++) {
    const { sizeBytes } = messages[i] as M;
    if (i > from && bytes + sizeBytes > maxBytes) {
      yield messages.slice(from, i);
      from = i;
      bytes = 0;
    }
    bytes += sizeBytes;
  }
  if (messages.length > from) yield messages.slice(from);
}
