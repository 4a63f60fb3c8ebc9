import { pingRabbitMq } from "#infra/rabbitmq/ping.ts";
import { ConfirmSession } from "#infra/rabbitmq/session.ts";
import type { Log } from "#runtime";
import { RefusedRouteError, type RoutedBroker } from "./routed.ts";

export interface RoutedRabbitMqOptions {
  readonly url: string;
  readonly log: Log;
  /** Stands before every exchange's name. @default "" */
  readonly exchangePrefix?: string;
}

const MAX_BYTES = 1_048_576;

/**
 * Events to exchanges that routes name, persistent, with the route's routing key, else the event's type. `message-id` is
 * the event's id, which is unique per source alone. An exchange that is missing is made, as a durable topic exchange.
 *
 * Acked after the broker's confirm. An event that no queue would get is refused with reason `route`.
 */
export function routedRabbitMq({ url, log, exchangePrefix = "" }: RoutedRabbitMqOptions): RoutedBroker<"rabbitmq"> {
  // Two connections: the broker ends a channel that asks for an exchange which is there as another kind.
  const publishing = new ConfirmSession({ url, log, name: "troupe-routed", prepare: async () => undefined });
  const declaring = new ConfirmSession({ url, log, name: "troupe-routed-setup", prepare: async () => undefined });
  const known = new Set<string>();
  const returned = new Set<string>();
  let serial = 0;

  async function ensure(exchange: string): Promise<void> {
    if (known.has(exchange)) return;
    try {
      await declaring.use(`make the exchange ${exchange}`, ({ channel }) =>
        channel.exchangeDeclare(exchange, "topic", { durable: true }),
      );
    } catch (error) {
      const said = error instanceof Error ? error.message : String(error);
      if (/ACCESS_REFUSED/i.test(said))
        throw new RefusedRouteError("route", `RabbitMQ does not let the exchange ${exchange} be used`);
      // It is there as another kind: that is its owner's choice.
      if (!/PRECONDITION_FAILED|inequivalent/i.test(said)) throw error;
    }
    known.add(exchange);
  }

  return {
    broker: "rabbitmq",
    async send({ to, type, id, event, traceparent, at }) {
      const exchange = exchangePrefix + to.exchange;
      const body = Buffer.from(event);
      if (body.byteLength > MAX_BYTES)
        throw new RefusedRouteError(
          "broker",
          `RabbitMQ is not given an event of ${body.byteLength} bytes: limit is ${MAX_BYTES}`,
        );
      await ensure(exchange);
      // The event's id may go to several exchanges at once: what comes back is told apart by a number of its own.
      const mark = String(++serial);
      const headers = { "x-troupe-mark": mark, ...(traceparent !== undefined && { traceparent }) };
      try {
        await publishing.use(`publish to ${exchange}`, async ({ channel }) => {
          channel.onReturn = ({ properties }) => {
            const given = properties.headers?.["x-troupe-mark"];
            if (typeof given === "string") returned.add(given);
          };
          await channel.basicPublish(
            exchange,
            to.routingKey ?? type,
            body,
            {
              messageId: id,
              type,
              contentType: "application/cloudevents+json",
              deliveryMode: 2,
              timestamp: new Date(at),
              headers,
            },
            true,
          );
        });
      } catch (error) {
        known.delete(exchange); // it may have been deleted
        throw error;
      }
      // The broker returns a message before it confirms it.
      if (returned.delete(mark))
        throw new RefusedRouteError(
          "route",
          `No queue is bound to the exchange ${exchange} for ${to.routingKey ?? type}`,
        );
    },
    check: () => pingRabbitMq(url),
    async close() {
      publishing.close();
      declaring.close();
    },
  };
}
