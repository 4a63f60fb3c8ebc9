import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsLink } from "./connection.ts";

const WITHIN_MS = 3_000;

/** Messages that a JetStream consumer has not acknowledged: those to come, and those it was given. */
export async function consumerPending(link: NatsLink, stream: string, consumer: string): Promise<number> {
  return await link.use(`read the consumer ${consumer} of ${stream}`, WITHIN_MS, async (client) => {
    const manager = await jetstreamManager(client, { checkAPI: false });
    const info = await manager.consumers.info(stream, consumer);
    return info.num_pending + info.num_ack_pending;
  });
}
