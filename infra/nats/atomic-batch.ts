import { type MsgHdrs, type NatsConnection, nuid } from "@nats-io/transport-node";
import { type PublishAck, readPublishAck } from "./publish-ack.ts";

/** The most messages the server takes in one batch. */
export const MAX_ATOMIC_BATCH = 1_000;
/** Bytes of one batch: the client buffers all of them before the socket takes them. */
export const MAX_BATCH_BYTES = 8 * 1024 * 1024;
/** From so many messages on a batch is cheaper than single publishes. */
export const BATCH_FROM = 48;
/** JetStream's `err_code` of a stream that takes no batches. */
export const TAKES_NO_BATCHES = 10_174;

/** Something to be stored. */
export interface BatchMessage {
  readonly subject: string;
  readonly payload: Uint8Array;
}

/** The headers of a message, with `further` ones that tell its place in the batch. */
export type HeadersOf<M> = (message: M, further: readonly (readonly [name: string, value: string])[]) => MsgHdrs;

/**
 * Stores all messages in the given order with one flush to disk, or none (NATS ADR-50, server ≥ 2.12).
 *
 * Only the last message asks for an answer: the client library's own batch waits for the first one too, which costs
 * a second round trip. A first message that was refused shows in the last answer as an incomplete batch.
 *
 * Resolves with `rejected`, and nothing is stored, when the stream takes no batches, when one message is over its
 * limit, and when one id was seen within the dedupe window: a repeat needs {@link publishInChains}.
 * @throws {Error} no answer, or the answer speaks of another number of messages: what is stored is unknown.
 */
export async function publishAtomicBatch<M extends BatchMessage>(
  client: NatsConnection,
  messages: readonly M[],
  headersOf: HeadersOf<M>,
  timeoutMs: number,
): Promise<PublishAck> {
  const id = nuid.next();
  const last = messages.length - 1;
  for (let i = 0; i < last; i++) {
    const message = messages[i] as M;
    client.publish(message.subject, message.payload, { headers: headersOf(message, placeIn(id, i + 1)) });
  }
  const final = messages[last] as M;
  const commit = headersOf(final, [...placeIn(id, messages.length), ["Nats-Batch-Commit", "1"]]);
  const ack = readPublishAck(
    await client.request(final.subject, final.payload, { headers: commit, timeout: timeoutMs }),
  );
  if (ack.kind === "stored" && ack.count !== messages.length) {
    throw new Error(
      `Cannot trust the commit of a batch as it holds ${ack.count} messages: ${messages.length} were sent`,
    );
  }
  return ack;
}

function placeIn(batch: string, sequence: number): readonly (readonly [string, string])[] {
  return [
    ["Nats-Batch-Id", batch],
    ["Nats-Batch-Sequence", String(sequence)],
  ];
}
