import type { Log } from "#runtime";
import type { Client } from "./client.ts";

/** A queue that takes the events of some types off a topic exchange. */
export interface EventQueue {
  readonly name: string;
  /** Event types, which are the routing keys it is bound with. */
  readonly types: readonly string[];
  /** @default "quorum": it is on the disks of most nodes before a publish is confirmed */
  readonly kind?: "quorum" | "classic";
}

/**
 * Returns before the broker drops a message, of quorum queues: far above what a subscription needs, as there it is the
 * dead letter that ends a message. Left out, RabbitMQ 4 drops after 20.
 */
const DELIVERY_LIMIT = 1_000_000;

/**
 * The topic exchange, the queues and their bindings exist afterwards. What is there already with other properties is an
 * operator's choice: it is used as it is, and only bindings are added. May be called again at any time: what was deleted
 * meanwhile is made anew.
 * @throws what the broker says, but that something is there as another kind; the client's other channels live on.
 */
export async function declareQueues(
  client: Client,
  log: Log,
  exchange: string,
  queues: readonly EventQueue[],
): Promise<void> {
  await unlessThere(client, log, exchange, (channel) => channel.exchangeDeclare(exchange, "topic", { durable: true }));
  for (const { name, kind = "quorum" } of queues) {
    const settings = {
      "x-queue-type": kind,
      // A consumer that hangs with its connection open still holds messages: the next one must wait for these.
      "x-single-active-consumer": true,
      ...(kind === "quorum" ? { "x-delivery-limit": DELIVERY_LIMIT } : {}),
    };
    await unlessThere(client, log, name, (channel) => channel.queueDeclare(name, { durable: true }, settings));
  }
  await onChannel(client, async (channel) => {
    for (const { name, types } of queues) for (const type of types) await channel.queueBind(name, exchange, type);
  });
}

type Channel = Awaited<ReturnType<Client["channel"]>>;

async function unlessThere(
  client: Client,
  log: Log,
  name: string,
  declare: (channel: Channel) => Promise<unknown>,
): Promise<void> {
  try {
    await onChannel(client, declare);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (!/PRECONDITION_FAILED/.test(reason)) throw error;
    log("debug", "rabbitmq:kept", { name, reason });
  }
}

/** A channel of its own for what the broker may answer by closing it. */
async function onChannel(client: Client, run: (channel: Channel) => Promise<unknown>): Promise<void> {
  const channel = await client.channel();
  channel.onerror = () => undefined;
  await run(channel);
  await channel.close();
}
