import type { AMQPChannel, AMQPMessage } from "@cloudamqp/amqp-client";
import { within } from "#infra/deadline.ts";
import type { Log } from "#runtime";
import { Client } from "./client.ts";
import { RabbitMqUnavailableError } from "./errors.ts";

export interface ConfirmSessionOptions {
  /** `amqp://user:password@host:5672/vhost`, or `amqps://` for TLS. */
  readonly url: string;
  readonly log: Log;
  /** How the server lists the connection. */
  readonly name: string;
  /** Milliseconds until what is awaited counts as lost. @default 5_000 */
  readonly deadlineMs?: number;
  /** Declares what is published to, on every new connection. */
  prepare(channel: AMQPChannel): Promise<void>;
}

/** A channel in confirm mode. */
export interface ConfirmChannel {
  readonly channel: AMQPChannel;
  /** The messages the broker gave back since the last look, as nobody would have got them, by message id. */
  takeReturned(): ReadonlySet<string>;
}

/**
 * One connection with one channel in confirm mode at a time, opened when it is needed and thrown away at the first
 * failure: after it nobody knows which of the unconfirmed messages were taken, and their sender tries all of them again.
 */
export class ConfirmSession {
  readonly #options: ConfirmSessionOptions;
  readonly #deadlineMs: number;
  #open: Promise<ConfirmChannel> | undefined;

  constructor(options: ConfirmSessionOptions) {
    this.#options = options;
    this.#deadlineMs = options.deadlineMs ?? 5_000;
  }

  /**
   * Runs `run` on the channel.
   * @throws {RabbitMqUnavailableError} the broker is away, ended the channel, or did not answer within the deadline.
   */
  async use<T>(what: string, run: (channel: ConfirmChannel) => Promise<T>): Promise<T> {
    const opening = (this.#open ??= this.#connect());
    const late = (): Error => new Error(`no answer within ${this.#deadlineMs} ms`);
    try {
      return await within(this.#deadlineMs, opening.then(run), late);
    } catch (error) {
      this.#discard(opening);
      throw new RabbitMqUnavailableError(`Cannot ${what}: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
  }

  close(): void {
    if (this.#open !== undefined) this.#discard(this.#open);
  }

  async #connect(): Promise<ConfirmChannel> {
    const { url, name, log, prepare } = this.#options;
    const address = new URL(url);
    address.searchParams.set("name", name);
    const client = new Client(address.href, undefined, null);
    client.onerror = (error) => log("debug", "rabbitmq:connection:failed", { reason: error.message });
    const connecting = client.connect();
    // A server that takes the connection and says nothing must not keep its socket.
    const timer = setTimeout(() => client.socket?.destroy(), this.#deadlineMs);
    try {
      await connecting;
      const channel = await client.channel();
      channel.onerror = (reason) => log("debug", "rabbitmq:channel:failed", { reason });
      let returned = new Set<string>();
      channel.onReturn = ({ properties }: AMQPMessage) => {
        if (properties.messageId !== undefined) returned.add(properties.messageId);
      };
      await prepare(channel);
      await channel.confirmSelect();
      return {
        channel,
        takeReturned() {
          const taken = returned;
          returned = new Set();
          return taken;
        },
      };
    } catch (error) {
      client.socket?.destroy();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  #discard(open: Promise<ConfirmChannel>): void {
    if (this.#open === open) this.#open = undefined;
    void open.then(
      // Not a polite farewell: it would wait for a broker that may hang.
      ({ channel }) => (channel.connection as Client).socket?.destroy(),
      () => undefined,
    );
  }
}
