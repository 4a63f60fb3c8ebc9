import type { ClientTls } from "#infra/base/tls.ts";
import { Together } from "#infra/base/together.ts";
import { Tries } from "#infra/base/tries.ts";
import { declareQueues } from "#infra/rabbitmq/declare.ts";
import { RabbitMqBlockedError, refusalOf } from "#infra/rabbitmq/errors.ts";
import { pingRabbitMq } from "#infra/rabbitmq/ping.ts";
import { ConfirmSession, type Outcome, type Outgoing } from "#infra/rabbitmq/session.ts";
import type { Log } from "#runtime";
import { HeldRouteError, RefusedRouteError, type RoutedBroker } from "./routed.ts";

export interface RoutedRabbitMqOptions {
  readonly url: string;
  /** Certificates for `amqps://`, beside what the system trusts. @default the system's alone */
  readonly tls?: ClientTls | undefined;
  readonly log: Log;
  /** Stands before every exchange's name. @default "" */
  readonly exchangePrefix?: string;
}

/** A broker that tells whether it takes anything now. */
export interface RoutedRabbitMq extends RoutedBroker<"rabbitmq"> {
  /** Why RabbitMQ blocks publishers; `undefined` when it does not, or was given nothing since. */
  blocked(): string | undefined;
}

const MAX_BYTES = 1_048_576;
/** Of exchanges, routing keys and what else the protocol calls a short string, in bytes. */
const MAX_NAME = 255;
const MAX_NACKS = 10;
/** Exchanges that are remembered to be there. */
const MAX_KNOWN = 1_000;

/**
 * Events to exchanges that routes name, persistent, with the route's routing key, else the event's type. `message-id` is
 * the event's id, which is unique per source alone. An exchange that is missing is made, as a durable topic exchange.
 *
 * Acked after the broker's confirm. An event that no queue would get is refused with reason `route`; one that a queue does not
 * take is held, and refused after ten tries: queues beside that one get it at each of them.
 */
export function routedRabbitMq({ url, tls, log, exchangePrefix = "" }: RoutedRabbitMqOptions): RoutedRabbitMq {
  const nothing = async (): Promise<void> => undefined;
  const publishing = new ConfirmSession({ url, tls, log, name: "troupe-routed", prepare: nothing });
  // The broker ends a channel that asks for an exchange which is there as another kind, and one with a message that it will
  // never take: which one it was is found out where nothing else is under way.
  const alone = new ConfirmSession({ url, tls, log, name: "troupe-routed-setup", prepare: nothing });
  let turn: Promise<unknown> = Promise.resolve();
  const known = new Set<string>();
  const nacks = new Tries();

  function ensure(exchange: string): Promise<void> {
    if (known.has(exchange)) return Promise.resolve();
    return inTurn(async () => {
      if (known.has(exchange)) return;
      await alone
        .use(`make the exchange ${exchange}`, ({ client }) => declareQueues(client, log, exchange, []))
        .catch((error: unknown) => {
          if (refusalOf(error) === undefined) throw error;
          throw new RefusedRouteError("route", `RabbitMQ does not let the exchange ${exchange} be used`);
        });
      if (known.size >= MAX_KNOWN) known.clear();
      known.add(exchange);
    });
  }

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const mine = turn.then(work);
    turn = mine.catch(() => undefined);
    return mine;
  }

  /** All of one moment go out together, and wait for their confirms side by side. */
  const together = new Together<Outgoing, Outcome>(async (messages) => {
    try {
      return await publishing.publish(`publish ${messages.length} routed events`, messages);
    } catch (error) {
      for (const { exchange } of messages) known.delete(exchange); // it may have been deleted
      if (refusalOf(error) === undefined) throw error;
      return inTurn(async () => {
        const outcomes: Outcome[] = [];
        for (const message of messages)
          outcomes.push(one(await alone.publish(`publish to ${message.exchange}`, [message])));
        return outcomes;
      });
    }
  });

  return {
    broker: "rabbitmq",
    async send({ to, type, id, event, traceparent, at }) {
      const exchange = exchangePrefix + to.exchange;
      const routingKey = to.routingKey ?? type;
      const body = Buffer.from(event);
      if (body.byteLength > MAX_BYTES)
        throw new RefusedRouteError(
          "broker",
          `RabbitMQ is not given an event of ${body.byteLength} bytes: limit is ${MAX_BYTES}`,
        );
      if (Buffer.byteLength(routingKey) > MAX_NAME)
        throw new RefusedRouteError("route", `RabbitMQ takes no routing key of ${Buffer.byteLength(routingKey)} bytes`);
      if (Buffer.byteLength(id) > MAX_NAME)
        throw new RefusedRouteError("broker", `RabbitMQ takes no message id of ${Buffer.byteLength(id)} bytes`);
      await ensure(exchange);
      const properties = {
        messageId: id,
        // The event has it in any case.
        ...(Buffer.byteLength(type) <= MAX_NAME && { type }),
        contentType: "application/cloudevents+json",
        deliveryMode: 2,
        timestamp: new Date(at),
        ...(traceparent !== undefined && { headers: { traceparent } }),
      };
      const outcome = await together.add({ exchange, routingKey, body, properties });
      const place = JSON.stringify([exchange, routingKey, id]);
      if (outcome.kind === "nacked" && nacks.failed(place) < MAX_NACKS)
        throw new HeldRouteError(`A queue of the exchange ${exchange} does not take events now`);
      nacks.forget(place);
      switch (outcome.kind) {
        case "taken":
          return;
        case "returned":
          throw new RefusedRouteError("route", `No queue is bound to the exchange ${exchange} for ${routingKey}`);
        case "refused":
          throw new RefusedRouteError("broker", outcome.detail);
        case "nacked":
          throw new RefusedRouteError("broker", `A queue of the exchange ${exchange} is full`);
      }
    },
    async check() {
      if (publishing.blocked !== undefined) throw new RabbitMqBlockedError(publishing.blocked);
      await pingRabbitMq(url, 2_000, tls);
    },
    async close() {
      publishing.close();
      alone.close();
    },
    blocked: () => publishing.blocked,
  };
}

function one([outcome]: readonly Outcome[]): Outcome {
  if (outcome === undefined) throw new Error("Cannot tell what became of a message");
  return outcome;
}
