import type { AMQPChannel } from "@cloudamqp/amqp-client";

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

/** Exchange, queue and bindings exist afterwards. Where they are there with other properties, the channel is closed. */
export async function declareQueue(
  channel: AMQPChannel,
  exchange: string,
  { name, types, kind = "quorum" }: EventQueue,
): Promise<void> {
  await channel.exchangeDeclare(exchange, "topic", { durable: true });
  await channel.queueDeclare(
    name,
    { durable: true },
    {
      "x-queue-type": kind,
      // A consumer that hangs with its connection open still holds messages: the next one must wait for these.
      "x-single-active-consumer": true,
      ...(kind === "quorum" ? { "x-delivery-limit": DELIVERY_LIMIT } : {}),
    },
  );
  for (const type of types) await channel.queueBind(name, exchange, type);
}
