import type { AMQPChannel, AMQPMessage } from "@cloudamqp/amqp-client";
import type { Log } from "#runtime";
/**
 * One connection with one channel in confirm mode at a time, opened when it is needed and thrown away at the first
 * failure: after it nobody knows which of the unconfirmed messages were taken, and their sender tries all of them again.
 *
 * C1 A connection that the broker blocks (memory, disk) is no failure: it is kept, and so is what was sent by it. A message
 *    that comes again meanwhile joins itself and is sent no second time. Another connection would be blocked as well, with
 *    one more copy in its socket.
 * C2 What the broker gives back it gives back before its confirm.
 */
import { withResolvers } from "#runtime/internal";
import { within } from "../base/deadline.ts";
import type { ClientTls } from "../base/tls.ts";
import { type Client, newClient } from "./client.ts";
import { NACKED, settleConfirmsInOrder } from "./confirms.ts";
import { RabbitMqBlockedError, RabbitMqUnavailableError, refusalOf } from "./errors.ts";

export interface ConfirmSessionOptions {
  /** `amqp://user:password@host:5672/vhost`, or `amqps://` for TLS. */
  readonly url: string;
  /** Certificates for `amqps://`, beside what the system trusts. @default the system's alone */
  readonly tls?: ClientTls | undefined;
  readonly log: Log;
  /** How the server lists the connection. */
  readonly name: string;
  /** Milliseconds until what is awaited counts as lost. @default 5_000 */
  readonly deadlineMs?: number;
  /** Declares what is published to, on every new connection. */
  prepare(client: Client): Promise<void>;
}

/** A message on its way out. Exchange, routing key and `messageId` tell it from others. */
export interface Outgoing {
  readonly exchange: string;
  readonly routingKey: string;
  readonly body: Uint8Array;
  readonly properties: NonNullable<Parameters<AMQPChannel["basicPublish"]>[3]> & { readonly messageId: string };
}

/**
 * `taken`: every queue it was routed to has it. `returned`: no queue would get it. `nacked`: a queue would not take it; others
 * may have. `refused`: the broker will never take it.
 */
export type Outcome =
  | { readonly kind: "taken" | "returned" | "nacked" }
  | { readonly kind: "refused"; readonly detail: string };

interface Open {
  readonly client: Client;
  readonly channel: AMQPChannel;
  /** What was sent and asked for by nobody since it was settled, or is not settled yet. */
  readonly sent: Map<string, Promise<Outcome>>;
  readonly returned: Set<string>;
}

/** The broker sends heartbeats also while it blocks: a connection that hears none is dead. */
const HEARTBEAT_S = "10";
/** What waits unasked for on a blocked connection, at most: beyond it the connection is given up. */
const MAX_SENT = 20_000;

export class ConfirmSession {
  readonly #options: ConfirmSessionOptions;
  readonly #deadlineMs: number;
  readonly #interrupts = new Set<(error: Error) => void>();
  #open: Promise<Open> | undefined;
  #blocked: string | undefined;

  constructor(options: ConfirmSessionOptions) {
    this.#options = options;
    this.#deadlineMs = options.deadlineMs ?? 5_000;
  }

  /** Why the broker takes nothing from this connection now: `low on memory`. */
  get blocked(): string | undefined {
    return this.#blocked;
  }

  /**
   * Publishes in the given order, with `mandatory`. Resolves with what became of each. A message that the broker refuses by
   * closing the channel is found among the others by halves.
   * @throws {RabbitMqBlockedError} the broker blocks; the same messages may be handed over again later, and are sent once.
   * @throws {RabbitMqUnavailableError} the broker is away, ended the channel, or did not confirm within the deadline.
   */
  async publish(what: string, messages: readonly Outgoing[]): Promise<readonly Outcome[]> {
    let sent: Open["sent"] | undefined;
    const ids = messages.map(identify);
    try {
      const outcomes = await this.use(what, (open) => {
        if (open.sent.size + messages.length > MAX_SENT) throw new Error("too much waits there unconfirmed");
        sent = open.sent;
        return Promise.all(messages.map((message, i) => send(open, message, ids[i] as string)));
      });
      // Only now: who was told of a block meanwhile has not heard of them, and comes again.
      for (const id of ids) sent?.delete(id);
      return outcomes;
    } catch (error) {
      const detail = error instanceof Error ? refusalOf(error.cause) : undefined;
      // With messages of other calls under way it may be one of those.
      if (detail === undefined || sent === undefined || sent.size > messages.length) throw error;
      if (messages.length === 1) return [{ kind: "refused", detail }];
      const middle = Math.ceil(messages.length / 2);
      const first = await this.publish(what, messages.slice(0, middle));
      return [...first, ...(await this.publish(what, messages.slice(middle)))];
    }
  }

  /** Declares once more what is published to. @throws as {@link publish}. */
  async prepare(what: string): Promise<void> {
    await this.use(what, ({ client }) => this.#options.prepare(client));
  }

  /**
   * Runs `run` on the connection.
   * @throws as {@link publish}.
   */
  async use<T>(what: string, run: (open: Open) => Promise<T>): Promise<T> {
    if (this.#blocked !== undefined) throw new RabbitMqBlockedError(this.#blocked); // RabbitmqSession.C1
    const opening = (this.#open ??= this.#connect());
    const late = (): Error => new Error(`no answer within ${this.#deadlineMs} ms`);
    const interrupted = withResolvers<never>();
    this.#interrupts.add(interrupted.reject);
    try {
      return await within(this.#deadlineMs, Promise.race([opening.then(run), interrupted.promise]), late);
    } catch (error) {
      if (error instanceof RabbitMqBlockedError) throw error;
      this.#discard(opening);
      throw new RabbitMqUnavailableError(`Cannot ${what}: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    } finally {
      this.#interrupts.delete(interrupted.reject);
    }
  }

  close(): void {
    if (this.#open !== undefined) this.#discard(this.#open);
  }

  async #connect(): Promise<Open> {
    const { url, tls, name, log, prepare } = this.#options;
    const address = new URL(url);
    address.searchParams.set("name", name);
    address.searchParams.set("heartbeat", HEARTBEAT_S);
    const client = newClient(address.href, tls);
    client.onerror = (error) => log("debug", "rabbitmq:connection:failed", { reason: error.message });
    const connecting = client.connect();
    // A server that takes the connection and says nothing must not keep its socket.
    const timer = setTimeout(() => client.socket?.destroy(), this.#deadlineMs);
    try {
      await connecting;
      await prepare(client);
      const channel = await client.channel();
      channel.onerror = (reason) => log("debug", "rabbitmq:channel:failed", { reason });
      const returned = new Set<string>();
      channel.onReturn = ({ exchange, routingKey, properties }: AMQPMessage) => {
        returned.add(identify({ exchange, routingKey, properties }));
      };
      settleConfirmsInOrder(channel);
      await channel.confirmSelect();
      this.#follow(client, log);
      return { client, channel, sent: new Map(), returned };
    } catch (error) {
      client.socket?.destroy();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** RabbitmqSession.C1 */
  #follow(client: Client, log: Log): void {
    client.onblocked = (reason) => {
      this.#blocked = reason;
      log("warn", "rabbitmq:blocked", { reason });
      for (const interrupt of [...this.#interrupts]) interrupt(new RabbitMqBlockedError(reason));
    };
    client.onunblocked = () => {
      this.#blocked = undefined;
      log("info", "rabbitmq:unblocked", {});
    };
    client.ondisconnect = () => {
      // What waited there is lost with it, or not: its senders try again.
      if (this.#open !== undefined) this.#discard(this.#open);
    };
  }

  #discard(open: Promise<Open>): void {
    if (this.#open === open) {
      this.#open = undefined;
      this.#blocked = undefined;
    }
    void open.then(
      ({ client }) => {
        client.ondisconnect = () => undefined;
        client.onblocked = () => undefined;
        // Not a polite farewell: it would wait for a broker that may hang.
        client.socket?.destroy();
      },
      () => undefined,
    );
  }
}

function identify({
  exchange,
  routingKey,
  properties,
}: Pick<Outgoing, "exchange" | "routingKey"> & { readonly properties: { readonly messageId?: string } }): string {
  return `${exchange}\u0000${routingKey}\u0000${properties.messageId}`; // none of them holds a zero
}

function send({ channel, sent, returned }: Open, message: Outgoing, id: string): Promise<Outcome> {
  const before = sent.get(id);
  if (before !== undefined) return before; // RabbitmqSession.C1
  const { exchange, routingKey, body, properties } = message;
  const outcome = channel.basicPublish(exchange, routingKey, body, properties, true).then(
    (): Outcome => ({ kind: returned.delete(id) ? "returned" : "taken" }), // RabbitmqSession.C2
    (error: unknown): Outcome => {
      returned.delete(id);
      if (error instanceof Error && error.message === NACKED) return { kind: "nacked" };
      throw error;
    },
  );
  // Nobody may be asking when the connection breaks.
  outcome.catch(() => undefined);
  sent.set(id, outcome);
  return outcome;
}
