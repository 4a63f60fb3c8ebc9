import type { AMQPChannel, AMQPMessage } from "@cloudamqp/amqp-client";
import { within } from "../base/deadline.ts";
import type { ClientTls } from "../base/tls.ts";
import { BODY_LETTERS, type BrokerTail, markOf, readMark, type TailedMessage } from "../tail/tail.ts";
import { type Client, newClient } from "./client.ts";

/** What {@link rabbitMqTail} is given. */
export interface RabbitMqTailOptions {
  /** `amqp://user:password@host:5672/vhost`, or `amqps://` for TLS. */
  readonly url: string;
  readonly tls?: ClientTls | undefined;
  /** The exchange whose messages are shown. */
  readonly exchange: string;
  /** The queues whose depth is told. */
  readonly queues: readonly string[];
}

const WITHIN_MS = 3_000;
/** Nobody has looked for so long: what is shown no more need not be routed either. */
const IDLE_MS = 30_000;
/** What the tap keeps of what passed between two looks: the newest. */
const KEPT = 100;

/**
 * Looks at what passes an exchange, from the first look on: an exchange keeps nothing. A queue of our own, gone with its
 * connection, takes the newest {@link KEPT} messages between two looks.
 */
export function rabbitMqTail({ url, tls, exchange, queues }: RabbitMqTailOptions): BrokerTail {
  let open: Promise<Tap> | undefined;
  let idle: ReturnType<typeof setTimeout> | undefined;
  let read = 0;

  function close(): void {
    clearTimeout(idle);
    const closing = open;
    open = undefined;
    void closing?.then(({ client }) => client.close()).catch(() => undefined);
  }

  async function use<T>(run: (tap: Tap) => Promise<T>): Promise<T> {
    const opening = (open ??= openTap(url, tls, exchange));
    clearTimeout(idle);
    idle = setTimeout(close, IDLE_MS);
    idle.unref?.();
    try {
      return await within(WITHIN_MS, opening.then(run), () => new Error(`no answer within ${WITHIN_MS} ms`));
    } catch (error) {
      if (open === opening) open = undefined; // Tail.T3
      void opening.then(({ client }) => client.socket?.destroy()).catch(() => undefined);
      throw new Error(`Cannot look at RabbitMQ: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      });
    }
  }

  return {
    broker: "rabbitmq",
    view: () =>
      use(async ({ client }) => {
        const found = (await Promise.all(queues.map((queue) => depthOf(client, queue)))).flat();
        return {
          places: found.map(({ name, messages }) => ({ name, kind: "queue" as const, messages })),
          groups: found
            .filter(({ consumers }) => consumers > 0)
            .map(({ name, messages }) => ({ name, place: name, lag: messages, inFlight: null })),
        };
      }),
    read: ({ after, limit }) => {
      readMark(after);
      return use(async ({ channel, queue }) => {
        const items: TailedMessage[] = [];
        for (;;) {
          const message = await channel.basicGet(queue, { noAck: true });
          if (message === null) break;
          items.push(tailed(message, ++read));
          if (items.length > limit) items.shift();
        }
        return { items, after: markOf({ read: String(read) }), skipped: null };
      });
    },
    close,
  };
}

interface Tap {
  readonly client: Client;
  readonly channel: AMQPChannel;
  readonly queue: string;
}

async function openTap(url: string, tls: ClientTls | undefined, exchange: string): Promise<Tap> {
  const address = new URL(url);
  address.searchParams.set("name", "troupe-tail");
  const client = newClient(address.href, tls);
  client.onerror = () => undefined; // the next call tells
  try {
    await within(WITHIN_MS, client.connect(), () => new Error(`no answer within ${WITHIN_MS} ms`));
    const channel = await client.channel();
    channel.onerror = () => undefined;
    const limits = { "x-max-length": KEPT, "x-overflow": "drop-head" };
    const own = { durable: false, autoDelete: true, exclusive: true };
    const { name: queue } = await channel.queueDeclare("", own, limits);
    await channel.queueBind(queue, exchange, "#");
    return { client, channel, queue };
  } catch (error) {
    client.socket?.destroy();
    throw error;
  }
}

/** On a channel of its own: the server closes the channel that asked for a queue which is not there. */
async function depthOf(client: Client, queue: string) {
  const channel = await client.channel();
  channel.onerror = () => undefined;
  try {
    const { messageCount, consumerCount } = await channel.queueDeclare(queue, { passive: true });
    await channel.close();
    return [{ name: queue, messages: messageCount, consumers: consumerCount }];
  } catch {
    return []; // not made yet
  }
}

function tailed(message: AMQPMessage, position: number): TailedMessage {
  const { properties, exchange, routingKey, bodySize } = message;
  const { headers = {}, ...others } = properties;
  const said = Object.entries({ ...others, ...headers }).filter(([, value]) =>
    ["string", "number"].includes(typeof value),
  );
  return {
    ...{ place: exchange, position: String(position), key: null, sizeBytes: bodySize },
    at: properties.timestamp?.toISOString() ?? null,
    headers: { routingKey, ...Object.fromEntries(said.map(([name, value]) => [name, String(value)])) },
    body: (message.bodyString() ?? "").slice(0, BODY_LETTERS),
  };
}
