import { type MsgHdrs, type NatsConnection, nuid } from "@nats-io/transport-node";
import { type EventMessage, eventHeaders } from "./message.ts";
import { type PublishAck, readPublishAck } from "./publish-ack.ts";

/** The most messages the server takes in one batch. */
export const MAX_ATOMIC_BATCH = 1_000;

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
export async function publishAtomicBatch(
  client: NatsConnection,
  messages: readonly EventMessage[],
  timeoutMs: number,
): Promise<PublishAck> {
  const id = nuid.next();
  const last = messages.length - 1;
  for (let i = 0; i < last; i++) {
    const message = messages[i] as EventMessage;
    client.publish(message.subject, message.payload, { headers: batchHeaders(message, id, i + 1) });
  }
  const final = messages[last] as EventMessage;
  const commit = batchHeaders(final, id, messages.length, true);
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

function batchHeaders(message: EventMessage, id: string, sequence: number, isLast = false): MsgHdrs {
  const place = [["Nats-Batch-Id", id] as const, ["Nats-Batch-Sequence", String(sequence)] as const];
  return eventHeaders(message, isLast ? [...place, ["Nats-Batch-Commit", "1"]] : place);
}
