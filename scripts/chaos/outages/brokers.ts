/** The brokers as a run looks at them: told when each event came, and read back to the end when all is over. */
import { AMQPClient } from "@cloudamqp/amqp-client";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { createClient } from "redis";
import type { Broker } from "#infra/base/brokers.ts";
import { Redial } from "#infra/base/redial.ts";
import { kafkaSource } from "#infra/kafka/source.ts";
import { silentLog } from "#runtime";
import type { CloudEvent } from "../../e2e/cloud-event.ts";
import { readKafka } from "../../e2e/kafka-events.ts";
import { OWN_EXCHANGE, POSTED_EXCHANGE, POSTED_TYPE, readEvent, REDIS_STREAM } from "./events.ts";
import { type Delivered, nameOf } from "./history.ts";

/** A broker that is read. */
export interface Reading extends AsyncDisposable {
  /** Everything on the broker, in its order. Once, at the end. */
  readAll(): Promise<Delivered[]>;
}

const READ_QUEUE = "chaos.read";
const WATCH_QUEUE = "chaos.watch";
const PAGE = 2_000;

/** Gets ready to read a broker, before anything is published there. */
export async function reading(broker: Broker, address: string): Promise<Reading> {
  switch (broker) {
    case "nats":
      return { readAll: () => readNats(address), [Symbol.asyncDispose]: async () => undefined };
    case "redis":
      return { readAll: () => readRedis(address), [Symbol.asyncDispose]: async () => undefined };
    case "kafka":
      return watchKafka(address);
    case "rabbitmq":
      return watchRabbitMq(address);
  }
}

function present(list: readonly (Delivered | undefined)[]): Delivered[] {
  return list.filter((one) => one !== undefined);
}

/** JetStream notes when it stored a message. */
async function readNats(address: string): Promise<Delivered[]> {
  const connection = await connect({ servers: new URL(address).host });
  try {
    const manager = await jetstreamManager(connection);
    const found: (Delivered | undefined)[] = [];
    for (const { config, state } of await manager.streams.list().next()) {
      if (state.messages === 0 || !["EVENTS", "ROUTED"].includes(config.name)) continue;
      const consumer = await jetstream(connection).consumers.get(config.name); // ordered: nothing is lost or doubled
      const messages = await consumer.consume();
      for await (const message of messages) {
        found.push(readEvent(message.json<CloudEvent>(), Number(message.timestampNanos / 1_000_000n)));
        if (message.seq >= state.last_seq) break;
      }
      await messages.close();
    }
    return present(found);
  } finally {
    await connection.close();
  }
}

/** The id of an entry tells when Redis wrote it. */
async function readRedis(address: string): Promise<Delivered[]> {
  const client = createClient({ url: address });
  await client.connect();
  try {
    const found: (Delivered | undefined)[] = [];
    for (const stream of [REDIS_STREAM, "events:order"]) {
      for (let after = "-"; ;) {
        const page = (await client.xRange(stream, after, "+", { COUNT: PAGE })) ?? [];
        for (const { id, message } of page)
          found.push(readEvent(JSON.parse(message["event"] ?? "{}") as CloudEvent, Number.parseInt(id, 10)));
        if (page.length < PAGE) break;
        after = `(${page.at(-1)?.id}`;
      }
    }
    return present(found);
  } finally {
    client.destroy();
  }
}

/** When a consumer was given an event for the first time: for brokers that keep no time of their own. */
class FirstSeen {
  readonly #at = new Map<string, number>();

  see(body: string): void {
    const event = readEvent(JSON.parse(body) as CloudEvent);
    if (event === undefined) return;
    const name = nameOf(event);
    if (!this.#at.has(name)) this.#at.set(name, Date.now());
  }

  /** The same events, the first of each with its time. */
  noted(events: readonly CloudEvent[]): Delivered[] {
    return present(events.map((event) => readEvent(event))).map((event) => {
      const at = this.#at.get(nameOf(event));
      return at === undefined ? event : { ...event, at };
    });
  }
}

async function watchKafka(brokers: string): Promise<Reading> {
  const seen = new FirstSeen();
  const consumer = kafkaSource({ brokers, log: silentLog }).start({
    consumer: "chaos-watch",
    types: [POSTED_TYPE, "order.placed.v1", "stock.refilled.v1"],
    maxInFlight: 1_000,
    handle: async ({ body }) => {
      seen.see(body);
      return "taken";
    },
  });
  return {
    readAll: async () => seen.noted(await readKafka(brokers, "")),
    [Symbol.asyncDispose]: () => consumer.stop(0),
  };
}

/**
 * One queue is read at the end, its twin while the run lasts. Both are durable, and no quorum queues: RabbitMQ 3 keeps the
 * name of a new one in memory for some seconds, and a broker killed meanwhile comes back unable to serve it.
 */
async function watchRabbitMq(address: string): Promise<Reading> {
  const client = await new AMQPClient(address, undefined, null).connect();
  const channel = await client.channel();
  for (const exchange of [POSTED_EXCHANGE, OWN_EXCHANGE])
    await channel.exchangeDeclare(exchange, "topic", { durable: true });
  for (const queue of [READ_QUEUE, WATCH_QUEUE]) {
    await channel.queueDeclare(queue, { durable: true });
    await channel.queueBind(queue, POSTED_EXCHANGE, POSTED_TYPE);
    await channel.queueBind(queue, OWN_EXCHANGE, "order.placed.v1");
  }
  await client.close();

  const seen = new FirstSeen();
  const watching = new Redial({
    what: "rabbitmq:watch",
    log: silentLog,
    session: (over, up) => consumeRabbitMq(address, WATCH_QUEUE, (body) => seen.see(body), over, up),
  });
  return {
    async readAll() {
      const events: CloudEvent[] = [];
      const over = new AbortController();
      const count = await countRabbitMq(address, READ_QUEUE);
      if (count === 0) return [];
      await consumeRabbitMq(
        address,
        READ_QUEUE,
        (body) => {
          events.push(JSON.parse(body) as CloudEvent);
          if (events.length >= count) over.abort();
        },
        over.signal,
      );
      return seen.noted(events);
    },
    [Symbol.asyncDispose]: () => watching.stop(),
  };
}

async function countRabbitMq(address: string, queue: string): Promise<number> {
  const client = await new AMQPClient(address, undefined, null).connect();
  const { messageCount } = await (await client.channel()).queueDeclare(queue, { passive: true });
  await client.close();
  return messageCount;
}

/** Takes what is in a queue until `over`; rejects when the connection breaks. */
async function consumeRabbitMq(
  address: string,
  queue: string,
  take: (body: string) => void,
  over: AbortSignal,
  up: () => void = () => undefined,
): Promise<void> {
  const url = new URL(address);
  url.searchParams.set("heartbeat", "5");
  const client = new AMQPClient(url.href, undefined, null);
  const broken = Promise.withResolvers<never>();
  broken.promise.catch(() => undefined);
  client.onerror = broken.reject;
  const ended = new Promise<void>((resolve) => over.addEventListener("abort", () => resolve(), { once: true }));
  const consuming = async (): Promise<void> => {
    await client.connect();
    const channel = await client.channel();
    channel.onerror = (reason) => broken.reject(new Error(reason));
    const consumer = await channel.basicConsume(queue, { noAck: true }, (message) => take(message.bodyString() ?? ""));
    up();
    await consumer.wait();
  };
  try {
    if (!over.aborted) await Promise.race([consuming(), broken.promise, ended]);
  } finally {
    client.socket?.destroy();
  }
}
