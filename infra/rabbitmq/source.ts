import type { AMQPChannel } from "@cloudamqp/amqp-client";
import type { Log, Source, SourceConsumer, SourceSubscription } from "#runtime";
/**
 * The source `rabbitmq`: a queue per consumer.
 *
 * A message is acknowledged when it was taken, on the channel it came by. One that was not comes again at its old place
 * in the queue when the connection ends. A queue has one active consumer, so the order of a key holds.
 */
import { within } from "../base/deadline.ts";
import { InFlight } from "../base/in-flight.ts";
import { pause } from "../base/pause.ts";
import { Redial } from "../base/redial.ts";
import type { ClientTls } from "../base/tls.ts";
import { untilAborted } from "../base/until-aborted.ts";
import { newClient } from "./client.ts";
import { declareQueues, type EventQueue } from "./declare.ts";
import { RabbitMqUnavailableError } from "./errors.ts";
import { pingRabbitMq } from "./ping.ts";

/** What `rabbitMqSource` is given. */
export interface RabbitMqSourceOptions {
  readonly url: string;
  /** Certificates for `amqps://`, beside what the system trusts. @default the system's alone */
  readonly tls?: ClientTls | undefined;
  readonly log: Log;
  /** The topic exchange; made when it is missing. @default "events" */
  readonly exchange?: string;
  /** The queue of each consumer. @default a queue of the consumer's name */
  readonly queues?: Readonly<Record<string, string>>;
  /** @default "quorum" */
  readonly kind?: EventQueue["kind"];
  /** Milliseconds until what is awaited counts as lost. @default 5_000 */
  readonly deadlineMs?: number;
}

/** How often the broker is asked whether it, the queue and its bindings are still there. */
const WATCH_MS = 5_000;
const HEARTBEAT_S = "10";

/**
 * Consumes from a durable queue for each consumer, which is declared, and bound to the event types, at every connect.
 *
 * @example
 * ```ts
 * const sources = { default: rabbitMqSource({ url: "amqp://localhost", log: silentLog }) };
 * const node = await createTroupe({ actors: [Counter], stores: { default: memory() }, sources });
 * ```
 */
export function rabbitMqSource(options: RabbitMqSourceOptions): Source {
  return {
    name: "rabbitmq",
    start: (subscription) => new QueueConsumer(options, subscription),
    check: () => pingRabbitMq(options.url, 2_000, options.tls),
  };
}

class QueueConsumer implements SourceConsumer {
  readonly #options: RabbitMqSourceOptions;
  readonly #subscription: SourceSubscription;
  readonly #queue: string;
  readonly #deadlineMs: number;
  /** By channel and delivery tag. */
  readonly #inFlight = new InFlight<string>();
  readonly #redial: Redial;
  #channel: AMQPChannel | undefined;
  #connections = 0;
  /** Ends the consuming, and leaves the connection to those under way. */
  #cancel: (() => Promise<unknown>) | undefined;
  #draining = false;
  #drainMs = 0;

  constructor(options: RabbitMqSourceOptions, subscription: SourceSubscription) {
    this.#options = options;
    this.#subscription = subscription;
    this.#queue = options.queues?.[subscription.consumer] ?? subscription.consumer;
    this.#deadlineMs = options.deadlineMs ?? 5_000;
    this.#redial = new Redial({
      what: `rabbitmq:${this.#queue}`,
      log: options.log,
      session: (over, up) => this.#session(over, up),
    });
  }

  async lag(): Promise<number> {
    const channel = this.#channel;
    if (channel === undefined || channel.closed) throw this.#away("is not connected");
    const { messageCount } = await this.#inTime(channel.queueDeclare(this.#queue, { passive: true }));
    return messageCount + this.#inFlight.size;
  }

  async stop(withinMs: number): Promise<void> {
    const until = performance.now() + withinMs;
    this.#draining = true;
    if (withinMs > 0) {
      await this.#inTime(this.#cancel?.() ?? Promise.resolve()).catch(() => undefined);
      await this.#inFlight.settled(withinMs);
    }
    this.#drainMs = Math.max(0, until - performance.now());
    await this.#redial.stop();
  }

  async #session(over: AbortSignal, up: () => void): Promise<void> {
    const { url, tls, log, exchange = "events", kind } = this.#options;
    const { consumer: name, types, maxInFlight } = this.#subscription;
    if (this.#draining) return;
    const address = new URL(url);
    address.searchParams.set("name", `troupe-${name}`);
    address.searchParams.set("heartbeat", HEARTBEAT_S);
    const client = newClient(address.href, tls);
    client.onerror = (error) => log("debug", "rabbitmq:connection:failed", { reason: error.message });
    const connection = ++this.#connections;
    try {
      await this.#inTime(client.connect());
      const channel = await this.#inTime(client.channel());
      channel.onerror = (reason) => log("debug", "rabbitmq:channel:failed", { reason });
      const queue: EventQueue = { name: this.#queue, types, ...(kind === undefined ? {} : { kind }) };
      const declare = (): Promise<void> => this.#inTime(declareQueues(client, log, exchange, [queue]));
      await declare();
      await this.#inTime(channel.prefetch(maxInFlight));
      if (over.aborted) return;
      const consumer = await this.#inTime(
        channel.basicConsume(this.#queue, { noAck: false }, (message) => {
          if (over.aborted) return;
          const handled = this.#subscription.handle({ body: message.bodyString() ?? "" });
          this.#inFlight.add(`${connection} ${message.deliveryTag}`, handled, (how) =>
            how === "taken" ? message.ack() : message.nack(true),
          );
        }),
      );
      this.#channel = channel;
      this.#cancel = () => consumer.cancel();
      up();
      // It may have been stopped while it connected: then nothing may hold it here, as a queue has one active consumer.
      const aborted = untilAborted(over);
      // Cancelled by `stop`, which those under way outlive; or as the queue was deleted, which needs a new one.
      const ended = consumer.wait().then(() => (this.#draining ? aborted : undefined));
      await Promise.race([ended, aborted, this.#watch(declare, over)]);
      if (over.aborted && this.#drainMs > 0)
        await Promise.race([client.close(), pause(Math.min(this.#drainMs, this.#deadlineMs))]);
    } finally {
      this.#channel = undefined;
      this.#cancel = undefined;
      client.socket?.destroy();
    }
  }

  /**
   * Declares again and again: a queue that lost its exchange or its bindings looks empty, and gets nothing. Rejects when the
   * broker does not answer any more: its sockets may stay open.
   */
  async #watch(declare: () => Promise<void>, over: AbortSignal): Promise<never> {
    for (;;) {
      await pause(WATCH_MS, over);
      if (over.aborted) return new Promise<never>(() => undefined);
      await declare();
    }
  }

  #inTime<T>(work: Promise<T>): Promise<T> {
    return within(this.#deadlineMs, work, () => this.#away(`did not answer within ${this.#deadlineMs} ms`));
  }

  #away(how: string): RabbitMqUnavailableError {
    return new RabbitMqUnavailableError(`Cannot consume from the queue ${this.#queue} as RabbitMQ ${how}`);
  }
}
