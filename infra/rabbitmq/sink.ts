/**
 * The sink `rabbitmq`.
 *
 * B1 A record is acked after the broker's confirm: by then every queue it was routed to has it, quorum queues on disk.
 * B2 Records are published on one channel in the order given, so that each queue has those of a target in order. After
 *    a failure the connection is thrown away, and the whole batch comes again.
 * B3 What `publish` sends again after it threw may be there twice, with the same `message-id`.
 * B4 An event that no queue would get is given back by the broker (`mandatory`) and refused, or passed over, as told.
 */
import type { Log, OutboxRecord, PublishResult, Sink } from "#runtime";
import { toCloudEvent } from "#runtime";
import { pingRabbitMq } from "./ping.ts";
import { declareQueue, type EventQueue } from "./queue.ts";
import { type ConfirmChannel, ConfirmSession } from "./session.ts";

/** Options of {@link rabbitMqSink}. */
export interface RabbitMqSinkOptions {
  readonly url: string;
  readonly log: Log;
  /** The topic exchange; made when it is missing. @default "events" */
  readonly exchange?: string;
  /** Queues that are declared and bound before anything is published, so that they miss nothing. @default none */
  readonly queues?: readonly EventQueue[];
  /** What to do with an event that no queue is bound for. @default "refuse": it becomes a dead letter */
  readonly unroutable?: "refuse" | "pass";
  /** Bytes of an event at most; a larger one is refused. @default 1 MiB */
  readonly maxBytes?: number;
  /** Records per `publish` call, which are the window of unconfirmed messages. @default 500 */
  readonly maxBatch?: number;
  /** Milliseconds until a call counts as lost. @default 5_000 */
  readonly deadlineMs?: number;
}

interface Message {
  readonly record: OutboxRecord;
  readonly body: Uint8Array;
}

const ACKED: PublishResult = { kind: "acked" };
/** Words between dots, as topic exchanges match them; the protocol takes 255 bytes. */
const ROUTING_KEY = /^[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+){0,15}$/;
const MAX_ROUTING_KEY = 255;

/**
 * Events go to a topic exchange with their type as the routing key, persistent, in order per target and queue:
 * `message-id` is the event's id, `traceparent` a header.
 *
 * `publish` rejects with {@link RabbitMqUnavailableError} when the broker is away, blocks publishers (memory, disk) or
 * does not confirm; then the whole call may be tried again. A record over `maxBytes`, with a type that is no routing
 * key, or, unless told otherwise, without a queue, is `refused`; the others go on.
 *
 * @example
 * ```ts
 * const sinks = [rabbitMqSink({ url: "amqp://guest:guest@localhost:5672", log: silentLog })];
 * const node = await createTroupe({ actors: [Counter], stores: { default: memory() }, sinks });
 * ```
 */
export function rabbitMqSink(options: RabbitMqSinkOptions): Sink {
  const { exchange = "events", unroutable = "refuse", maxBytes = 1_048_576 } = options;
  const session = new ConfirmSession({
    ...options,
    name: "troupe-sink",
    prepare: async (channel) => {
      await channel.exchangeDeclare(exchange, "topic", { durable: true });
      for (const queue of options.queues ?? []) await declareQueue(channel, exchange, queue);
    },
  });

  async function publish(records: readonly OutboxRecord[]): Promise<readonly PublishResult[]> {
    const refused = new Map<string, string>();
    const messages: Message[] = [];
    for (const record of records) {
      const message = messageOf(record, maxBytes);
      if (typeof message === "string") refused.set(record.id, message);
      else messages.push(message);
    }
    if (messages.length > 0) {
      const returned = await session.use(`publish ${messages.length} events`, (open) => send(open, messages));
      for (const id of unroutable === "refuse" ? returned : []) refused.set(id, "No queue is bound for this event");
    }
    return records.map(({ id }) => {
      const detail = refused.get(id);
      return detail === undefined ? ACKED : { kind: "refused", detail };
    });
  }

  /** Resolves with what came back. The broker returns a message before it confirms it. */
  async function send(open: ConfirmChannel, messages: readonly Message[]): Promise<ReadonlySet<string>> {
    const confirms = messages.map(({ record, body }) =>
      open.channel.basicPublish(exchange, record.name, body, propertiesOf(record), true),
    );
    await Promise.all(confirms);
    return open.takeReturned();
  }

  return {
    name: "rabbitmq",
    accepts: "event",
    lane: { kind: "batch", maxBatch: options.maxBatch ?? 500 },
    publish,
    check: () => pingRabbitMq(options.url),
    close: async () => session.close(),
  };
}

/** The message of a record, or why it can never be one. */
function messageOf(record: OutboxRecord, maxBytes: number): Message | string {
  if (record.name.length > MAX_ROUTING_KEY || !ROUTING_KEY.test(record.name))
    return `Cannot derive a routing key from the event type ${JSON.stringify(record.name.slice(0, 80))}`;
  const body = Buffer.from(toCloudEvent(record));
  if (body.byteLength > maxBytes)
    return `RabbitMQ is not given an event of ${body.byteLength} bytes: limit is ${maxBytes}`;
  return { record, body };
}

function propertiesOf({
  id,
  name,
  at,
  traceparent,
}: OutboxRecord): Parameters<ConfirmChannel["channel"]["basicPublish"]>[3] {
  return {
    messageId: id,
    type: name,
    contentType: "application/cloudevents+json",
    deliveryMode: 2,
    timestamp: new Date(at),
    ...(traceparent !== undefined && { headers: { traceparent } }),
  };
}
