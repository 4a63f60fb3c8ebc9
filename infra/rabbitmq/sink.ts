import type { Log, OutboxRecord, PublishResult, Sink } from "#runtime";
import { toCloudEvent } from "#runtime";
/**
 * The sink `rabbitmq`.
 *
 * B1 A record is acked after the broker's confirm: by then every queue it was routed to has it, quorum queues on disk.
 * B2 Records are published on one channel in the order given, so that each queue has those of a target in order. After
 *    a failure the connection is thrown away, and the whole batch comes again.
 * B3 What `publish` sends again after it threw may be there twice, with the same `message-id`.
 * B4 An event that no queue would get is given back by the broker (`mandatory`). Our own queues are declared and bound, and it
 *    is sent once more. What comes back then waits a while where its type had a queue before: whoever consumes there
 *    declares it anew. Only then it is refused, or passed over, as told.
 * B5 A queue that does not take an event (full, and told to say so) may stand beside others that do, which get it again at
 *    every try: tries are few, one event of a target at a time, and then it is refused.
 */
import type { ClientTls } from "../base/tls.ts";
import { Tries } from "../base/tries.ts";
import { declareQueues, type EventQueue } from "./declare.ts";
import { RabbitMqBlockedError } from "./errors.ts";
import { KnownRoutes } from "./known-routes.ts";
import { pingRabbitMq } from "./ping.ts";
import { ConfirmSession, type Outcome, type Outgoing } from "./session.ts";
import { matchesTopic } from "./topic-pattern.ts";

/** Options of {@link rabbitMqSink}. */
export interface RabbitMqSinkOptions {
  readonly url: string;
  /** Certificates for `amqps://`, beside what the system trusts. @default the system's alone */
  readonly tls?: ClientTls | undefined;
  readonly log: Log;
  /** The topic exchange; made when it is missing. @default "events" */
  readonly exchange?: string;
  /** Queues that are declared and bound before anything is published, so that they miss nothing. @default none */
  readonly queues?: readonly EventQueue[];
  /** What to do with an event that no queue is bound for. @default "refuse": it becomes a dead letter */
  readonly unroutable?: "refuse" | "pass";
  /**
   * Milliseconds that an event waits whose type had a queue, and has none now: its consumer may be about to make it anew.
   * @default 10_000
   */
  readonly patienceMs?: number;
  /** Bytes of an event at most; a larger one is refused. @default 1 MiB */
  readonly maxBytes?: number;
  /** Records per `publish` call, which are the window of unconfirmed messages. @default 500 */
  readonly maxBatch?: number;
  /** Milliseconds until a call counts as lost. @default 5_000 */
  readonly deadlineMs?: number;
}

/** A sink that tells whether its broker takes anything now. */
export interface RabbitMqSink extends Sink {
  /** Why RabbitMQ blocks publishers, as in `low on memory`; `undefined` when it does not, or was given nothing since. */
  blocked(): string | undefined;
}

interface Message extends Outgoing {
  readonly record: OutboxRecord;
}

const ACKED: PublishResult = { kind: "acked" };
const HELD: PublishResult = { kind: "held" };
/** Tries of an event that a queue does not take: with the relay's pauses some 15 seconds. */
const MAX_NACKS = 10;
/** Words between dots, as topic exchanges match them; the protocol takes 255 bytes. */
const ROUTING_KEY = /^[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+){0,15}$/;
const MAX_ROUTING_KEY = 255;

/**
 * Events go to a topic exchange with their type as the routing key, persistent, in order per target and queue:
 * `message-id` is the event's id, `traceparent` a header.
 *
 * `publish` rejects with {@link RabbitMqUnavailableError} when the broker is away or does not confirm, and with
 * {@link RabbitMqBlockedError} while it blocks publishers (memory, disk); then the whole call may be tried again. A record
 * over `maxBytes` or the broker's own limit, with a type that is no routing key or may not be written, or, unless told
 * otherwise, without a queue, is `refused`; one that a full queue does not take is `held`, for some tries. The others go on.
 *
 * @example
 * ```ts
 * const sinks = [rabbitMqSink({ url: "amqp://guest:guest@localhost:5672", log: silentLog })];
 * const node = await createTroupe({ actors: [Counter], stores: { default: memory() }, sinks });
 * ```
 */
export function rabbitMqSink(options: RabbitMqSinkOptions): RabbitMqSink {
  const { exchange = "events", queues = [], unroutable = "refuse", maxBytes = 1_048_576, log } = options;
  const session = new ConfirmSession({
    ...options,
    name: "troupe-sink",
    prepare: (client) => declareQueues(client, log, exchange, queues),
  });
  const routes = new KnownRoutes(options.patienceMs ?? 10_000);
  /** Of records that a queue did not take, by id, and of their targets. */
  const nacks = new Tries();
  const nacking = new Tries();

  async function publish(records: readonly OutboxRecord[]): Promise<readonly PublishResult[]> {
    const results = new Map<string, PublishResult>();
    const messages: Message[] = [];
    const first = new Set<string>();
    for (const record of records) {
      const message = messageOf(record, exchange, maxBytes);
      if (typeof message === "string") results.set(record.id, { kind: "refused", detail: message });
      else if (nacking.has(record.target) && first.has(record.target)) results.set(record.id, HELD); // RabbitmqSink.B5
      else messages.push(message);
      first.add(record.target);
    }
    const outcomes = await send(messages);
    messages.forEach(({ record }, i) => results.set(record.id, resultOf(record, outcomes[i] as Outcome)));
    return records.map(({ id }) => results.get(id) ?? ACKED);
  }

  async function send(messages: readonly Message[]): Promise<readonly Outcome[]> {
    if (messages.length === 0) return [];
    const outcomes = [...(await session.publish(`publish ${messages.length} events`, messages))];
    const back = messages.flatMap((message, i) => (outcomes[i]?.kind === "returned" && isOurs(message) ? [i] : []));
    if (back.length === 0) return outcomes;
    await session.prepare("declare the queues"); // RabbitmqSink.B4
    const again = await session.publish(
      `publish ${back.length} events`,
      back.map((i) => messages[i] as Message),
    );
    back.forEach((i, nth) => (outcomes[i] = again[nth] as Outcome));
    return outcomes;
  }

  function isOurs({ record }: Message): boolean {
    return queues.some(({ types }) => types.some((type) => matchesTopic(type, record.name)));
  }

  function resultOf({ id, target, name }: OutboxRecord, outcome: Outcome): PublishResult {
    if (outcome.kind === "nacked") {
      const attempts = nacks.failed(id);
      nacking.failed(target);
      if (attempts < MAX_NACKS) return HELD;
      nacks.forget(id);
      return {
        kind: "refused",
        detail: `A queue it goes to is full: RabbitMQ did not take it ${attempts} times`,
        attempts,
      };
    }
    nacks.forget(id);
    nacking.forget(target);
    switch (outcome.kind) {
      case "taken":
        routes.routed(name);
        return ACKED;
      case "refused":
        return outcome;
      case "returned":
        if (routes.mayComeBack(name)) return HELD; // RabbitmqSink.B4
        return unroutable === "pass" ? ACKED : { kind: "refused", detail: "No queue is bound for this event" };
    }
  }

  return {
    name: "rabbitmq",
    accepts: "event",
    lane: { kind: "batch", maxBatch: options.maxBatch ?? 500 },
    publish,
    check: async () => {
      if (session.blocked !== undefined) throw new RabbitMqBlockedError(session.blocked);
      await pingRabbitMq(options.url, 2_000, options.tls);
    },
    close: async () => session.close(),
    blocked: () => session.blocked,
  };
}

/** The message of a record, or why it can never be one. */
function messageOf(record: OutboxRecord, exchange: string, maxBytes: number): Message | string {
  const { id, name, at, traceparent } = record;
  if (name.length > MAX_ROUTING_KEY || !ROUTING_KEY.test(name))
    return `Cannot derive a routing key from the event type ${JSON.stringify(name.slice(0, 80))}`;
  const body = Buffer.from(toCloudEvent(record));
  if (body.byteLength > maxBytes)
    return `RabbitMQ is not given an event of ${body.byteLength} bytes: limit is ${maxBytes}`;
  const properties = {
    messageId: id,
    type: name,
    contentType: "application/cloudevents+json",
    deliveryMode: 2,
    timestamp: new Date(at),
    ...(traceparent !== undefined && { headers: { traceparent } }),
  };
  return { record, exchange, routingKey: name, body, properties };
}
