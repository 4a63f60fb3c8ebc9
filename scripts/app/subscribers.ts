import { type Broker, BROKERS } from "#infra/base/brokers.ts";

/** The actor types of the reference system that subscribe to events. */
export const SUBSCRIBERS = ["customer", "delivery", "invoice", "notification"] as const;
export type Subscriber = (typeof SUBSCRIBERS)[number];

/** Which broker each subscription uses when nothing else is said. */
export const DEFAULT_SUBSCRIPTIONS: Readonly<Record<Subscriber, Broker>> = {
  customer: "kafka",
  delivery: "nats",
  invoice: "rabbitmq",
  notification: "redis",
};

/**
 * Reads `invoice=nats,notification=redis`; what is not named stays as it is by default.
 * @returns `undefined` when the text names something else.
 */
export function readSubscriptions(text: string): Readonly<Record<Subscriber, Broker>> | undefined {
  const read: Record<Subscriber, Broker> = { ...DEFAULT_SUBSCRIPTIONS };
  for (const part of text.split(",").filter((some) => some.trim() !== "")) {
    const [name, value, ...rest] = part.split("=").map((word) => word.trim());
    const subscriber = SUBSCRIBERS.find((known) => known === name);
    const broker = BROKERS.find((known) => known === value);
    if (subscriber === undefined || broker === undefined || rest.length > 0) return undefined;
    read[subscriber] = broker;
  }
  return read;
}
