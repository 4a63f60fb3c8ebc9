/**
 * The source `nats`: a durable pull consumer per consumer, on the event stream.
 *
 * S1 A message is acknowledged when it was taken. Until then the server is told every third of the ack wait that it is
 *    being worked on, so that a slow turn is not handed out a second time.
 * S2 A consumer that starts where another one has left messages unacknowledged waits until the server would hand them out
 *    again: they are older than what is new, and the order of a key holds.
 */
import {
  AckPolicy,
  type Consumer,
  type ConsumerConfig,
  type ConsumerInfo,
  type ConsumerMessages,
  type ConsumerUpdateConfig,
  DeliverPolicy,
  jetstream,
  JetStreamApiError,
  type JetStreamManager,
  jetstreamManager,
  type JsMsg,
} from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import type { Log, Source, SourceConsumer, SourceSubscription } from "#runtime";
import { InFlight } from "../base/in-flight.ts";
import { pause } from "../base/pause.ts";
import { Redial } from "../base/redial.ts";
import { untilAborted } from "../base/until-aborted.ts";
import { type NatsLink, NatsUnavailableError } from "./connection.ts";
import { type EventStreamOptions, ensureEventStream } from "./streams.ts";
import { withSubjects } from "./subject-sets.ts";
import { eventSubject } from "./subjects.ts";

/** What `natsSource` is given. */
export interface NatsSourceOptions extends EventStreamOptions {
  /** Shared; stays open. */
  readonly connection: NatsLink;
  readonly log: Log;
  /** Milliseconds of silence after which the server hands a message out again. @default 10_000 */
  readonly ackWaitMs?: number;
}

const NANOS_PER_MS = 1_000_000;
const CONSUMER_NOT_FOUND = 10014;
const ANSWER_MS = 5_000;
/** The most a timer can count: a session ends when the connection does, not by the clock. */
const NO_DEADLINE_MS = 0x7fffffff;
const HEARTBEAT_MS = 2_000;
const GIVE_BACK_MS = 100;

/**
 * Consumes through a durable consumer of the consumer's name; stream and consumer are made when they are missing.
 *
 * @example
 * ```ts
 * const sources = { default: natsSource({ connection: connectNats({ url: "nats://localhost:4222", log: silentLog }), log: silentLog }) };
 * const node = await createTroupe({ actors: [Counter], stores: { default: memory() }, sources });
 * ```
 */
export function natsSource(options: NatsSourceOptions): Source {
  return {
    name: "nats",
    start: (subscription) => new DurableConsumer(options, subscription),
    check: () =>
      options.connection.use("check JetStream", 2_000, async (client) => {
        await (await jetstreamManager(client, { timeout: 2_000, checkAPI: false })).getAccountInfo();
      }),
  };
}

class DurableConsumer implements SourceConsumer {
  readonly #options: NatsSourceOptions;
  readonly #subscription: SourceSubscription;
  /** What the server waits, which may be longer than what was asked for. */
  #ackWaitMs: number;
  readonly #inFlight = new InFlight<JsMsg>();
  readonly #working = new Set<JsMsg>();
  readonly #heartbeat: ReturnType<typeof setInterval>;
  readonly #redial: Redial;
  #consumer: Consumer | undefined;
  /** Whether anything was taken by this consumer yet (NatsSource.S2). */
  #resumed = false;

  constructor(options: NatsSourceOptions, subscription: SourceSubscription) {
    this.#options = options;
    this.#subscription = subscription;
    this.#ackWaitMs = options.ackWaitMs ?? 10_000;
    this.#heartbeat = setInterval(() => this.#keepWorking(), this.#ackWaitMs / 3);
    this.#redial = new Redial({
      what: `nats:${subscription.consumer}`,
      log: options.log,
      session: (over, up) => this.#session(over, up),
    });
  }

  async lag(): Promise<number> {
    const consumer = this.#consumer;
    const { connection } = this.#options;
    if (consumer === undefined) {
      throw new NatsUnavailableError(`Cannot ask for the lag as NATS at ${connection.address} was not reached yet`);
    }
    const info = await connection.use("ask for the lag", ANSWER_MS, () => consumer.info());
    return info.num_pending + info.num_ack_pending;
  }

  async stop(withinMs: number): Promise<void> {
    const until = performance.now() + withinMs;
    await this.#redial.stop();
    await this.#inFlight.settled(withinMs);
    clearInterval(this.#heartbeat);
    this.#working.clear();
    const left = until - performance.now();
    // Acknowledgements are only sent: they should have left before the connection is closed.
    if (left > 0) await this.#options.connection.use("flush", left, (client) => client.flush()).catch(() => undefined);
  }

  /** NatsSource.S1 */
  #keepWorking(): void {
    try {
      for (const message of this.#working) message.working();
    } catch {
      // The connection was closed: its messages come again to whoever consumes next.
      this.#working.clear();
    }
  }

  async #session(over: AbortSignal, up: () => void): Promise<void> {
    const aborted = untilAborted(over);
    const ended = new AbortController();
    const { connection } = this.#options;
    await Promise.race([connection.ready(ANSWER_MS), aborted]);
    if (over.aborted) return;
    const following = connection.use("consume events", NO_DEADLINE_MS, (client) =>
      this.#follow(client, AbortSignal.any([over, ended.signal]), up),
    );
    following.catch(() => undefined);
    try {
      await Promise.race([following, aborted]);
    } finally {
      ended.abort();
    }
  }

  async #follow(client: NatsConnection, over: AbortSignal, up: () => void): Promise<void> {
    const consumer = await this.#open(client, over);
    if (over.aborted) return;
    this.#resumed = true;
    const messages = await consumer.consume({
      max_messages: this.#subscription.maxInFlight,
      expires: 30_000,
      idle_heartbeat: HEARTBEAT_MS,
      abort_on_missing_resource: true,
    });
    over.addEventListener("abort", () => messages.stop(), { once: true });
    if (over.aborted) return messages.stop();
    up();
    await Promise.race([this.#take(messages, over), silence(messages)]);
  }

  async #open(client: NatsConnection, over: AbortSignal): Promise<Consumer> {
    const { stream = "EVENTS", subjectPrefix } = this.#options;
    const { consumer: name, types, maxInFlight } = this.#subscription;
    const manager = await jetstreamManager(client, { timeout: ANSWER_MS, checkAPI: false });
    await ensureEventStream(manager, this.#options);
    const filters = types.map((type) => eventSubject(type, subjectPrefix));
    const before = await find(manager, stream, name);
    const info =
      before === undefined
        ? await manager.consumers.add(stream, {
            durable_name: name,
            ack_policy: AckPolicy.Explicit,
            deliver_policy: DeliverPolicy.All,
            filter_subjects: filters,
            ack_wait: this.#ackWaitMs * NANOS_PER_MS,
            max_ack_pending: maxInFlight,
            max_deliver: -1,
          })
        : await manager.consumers.update(
            stream,
            name,
            additions(before.config, filters, this.#ackWaitMs * NANOS_PER_MS),
          );
    this.#ackWaitMs = (info.config.ack_wait ?? this.#ackWaitMs * NANOS_PER_MS) / NANOS_PER_MS;
    this.#consumer = jetstream(client).consumers.getConsumerFromInfo(info);
    if (!this.#resumed && info.num_ack_pending > 0) await pause(this.#ackWaitMs * 1.2, over); // NatsSource.S2
    return this.#consumer;
  }

  async #take(messages: ConsumerMessages, over: AbortSignal): Promise<void> {
    for await (const message of messages) {
      if (over.aborted) return;
      this.#working.add(message);
      const handled = this.#subscription.handle({ body: message.string() });
      this.#inFlight.add(message, handled, (how) => {
        this.#working.delete(message);
        if (how === "taken") message.ack();
        else message.nak(GIVE_BACK_MS);
      });
    }
  }
}

async function find(manager: JetStreamManager, stream: string, name: string): Promise<ConsumerInfo | undefined> {
  try {
    return await manager.consumers.info(stream, name);
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === CONSUMER_NOT_FOUND) return undefined;
    throw error;
  }
}

/** What a consumer that is there has to get: subjects it lacks, and deliveries without end. The rest is the operator's. */
function additions(has: ConsumerConfig, filters: readonly string[], ackWait: number): Partial<ConsumerUpdateConfig> {
  const own = has.filter_subjects ?? (has.filter_subject === undefined ? [] : [has.filter_subject]);
  // Without a filter it gets everything.
  const all = own.length === 0 || (own.length === 1 && own[0] === "");
  // A wait that is shorter than what we tell the server by would hand out what is being worked on.
  const ack_wait = Math.max(has.ack_wait ?? 0, ackWait);
  return {
    max_deliver: -1,
    ack_wait,
    ...(all ? {} : { filter_subject: "", filter_subjects: withSubjects(own, filters) }),
  };
}

/** Rejects when the server has missed two heartbeats: the library would wait for it up to half a minute more. */
async function silence(messages: ConsumerMessages): Promise<never> {
  for await (const { type } of messages.status()) {
    if (type === "heartbeats_missed") break;
  }
  throw new Error(`the stream was silent for ${2 * HEARTBEAT_MS} ms, or its consumer has ended`);
}
