import {
  Consumer,
  type Message,
  type MessagesStream,
  MessagesStreamFallbackModes,
  MessagesStreamModes,
} from "@platformatic/kafka";
import type { Handled, Log, Source, SourceConsumer, SourceSubscription } from "#runtime";
/**
 * The source `kafka`: a classic consumer group per consumer, on the topics of its event types.
 *
 * K1 What is committed is, per partition, the place behind the longest run of messages that were all taken: a message that
 *    was not comes again, with those after it.
 * K2 The client is not trusted to come back from every failure: brokers are asked regularly, and a consumer whose
 *    brokers do not answer is thrown away. The group knows where it stood.
 * K3 A consumer takes the place of the one before it in the group, under the same name: it need not wait until the group
 *    believes that one dead.
 * K4 Any client may have written what is there: keys, values and headers may be missing. What has no value is skipped.
 */
import { within } from "../base/deadline.ts";
import { InFlight } from "../base/in-flight.ts";
import { pause } from "../base/pause.ts";
import { Redial } from "../base/redial.ts";
import { untilAborted } from "../base/until-aborted.ts";
import { checkBrokers } from "./check.ts";
import { kafkaReason, KafkaUnavailableError } from "./errors.ts";
import { connectionOptions, type KafkaSecurity } from "./security.ts";
import { eventTopic, Topics } from "./topics.ts";

/** What `kafkaSource` is given. */
export interface KafkaSourceOptions {
  /** `127.0.0.1:9092`, some of the cluster's brokers; as a list or separated by commas. */
  readonly brokers: string | readonly string[];
  /** TLS, and who we are. @default neither */
  readonly security?: KafkaSecurity | undefined;
  readonly log: Log;
  /** Stands before every topic's and group's name. @default "" */
  readonly topicPrefix?: string;
  /** Of topics that are made. @default 6 */
  readonly partitions?: number;
  /** Milliseconds until a request counts as lost. @default 5_000 */
  readonly deadlineMs?: number;
}

/** As the client has it, whose types know nothing of what is missing. */
type Bytes = Buffer | null | undefined;
type KafkaMessage = Omit<Message<Buffer, Buffer, Buffer, Buffer>, "value" | "headers"> & {
  readonly value: Bytes;
  readonly headers: ReadonlyMap<Bytes, Bytes>;
};

const TAKEN: Promise<Handled> = Promise.resolve("taken");

/** One consumer of a group at a time needs one name. */
const STATIC_MEMBER = "troupe";
const WATCH_MS = 5_000;
/** How long the group waits for a member that is dead before it gives its partitions to another. */
const SESSION_TIMEOUT_MS = 10_000;
const HEARTBEAT_MS = 2_000;
const FETCH_WAIT_MS = 500;

/**
 * Consumes through a group of the consumer's name; topics are made when they are missing.
 *
 * @example
 * ```ts
 * const sources = { default: kafkaSource({ brokers: "localhost:9092", log: silentLog }) };
 * const node = await createTroupe({ actors: [Counter], stores: { default: memory() }, sources });
 * ```
 */
export function kafkaSource(options: KafkaSourceOptions): Source {
  const brokers =
    typeof options.brokers === "string" ? options.brokers.split(",").map((broker) => broker.trim()) : options.brokers;
  return {
    name: "kafka",
    start: (subscription) => new GroupConsumer(options, brokers, subscription),
    check: () => checkBrokers(brokers, 2_000, options.security),
  };
}

class GroupConsumer implements SourceConsumer {
  readonly #options: KafkaSourceOptions;
  readonly #brokers: readonly string[];
  readonly #subscription: SourceSubscription;
  readonly #topics: readonly string[];
  readonly #deadlineMs: number;
  readonly #inFlight = new InFlight<KafkaMessage>();
  readonly #redial: Redial;
  /** Ends the taking of messages, and leaves the consumer to commit. */
  readonly #draining = new AbortController();
  #consumer: Consumer<Buffer, Buffer, Buffer, Buffer> | undefined;
  /** The topics that the consumer reads. */
  #usable: readonly string[] = [];

  constructor(options: KafkaSourceOptions, brokers: readonly string[], subscription: SourceSubscription) {
    this.#options = options;
    this.#brokers = brokers;
    this.#subscription = subscription;
    this.#topics = [...new Set(subscription.types.map((type) => eventTopic(type, options.topicPrefix)))];
    this.#deadlineMs = options.deadlineMs ?? 5_000;
    this.#redial = new Redial({
      what: `kafka:${subscription.consumer}`,
      log: options.log,
      session: (over, up) => this.#session(over, up),
    });
  }

  async lag(): Promise<number> {
    const consumer = this.#consumer;
    if (consumer === undefined) throw this.#failed("as it is not connected");
    const topics = [...this.#usable];
    const ends = await this.#inTime(consumer.listOffsets({ topics }));
    const wanted = topics.map((topic) => ({ topic, partitions: (ends.get(topic) ?? []).map((_, index) => index) }));
    const committed = await this.#inTime(consumer.listCommittedOffsets({ topics: wanted }));
    let lag = 0n;
    for (const [topic, partitions] of ends) {
      for (const [index, end] of partitions.entries()) {
        const place = committed.get(topic)?.[index] ?? -1n;
        lag += end - (place < 0n ? 0n : place);
      }
    }
    return Number(lag);
  }

  async stop(withinMs: number): Promise<void> {
    this.#draining.abort();
    await this.#inFlight.settled(withinMs);
    await this.#redial.stop();
  }

  async #session(over: AbortSignal, up: () => void): Promise<void> {
    const { topicPrefix = "", partitions = 6, security } = this.#options;
    const topics = new Topics({ brokers: this.#brokers, security, partitions, timeoutMs: this.#deadlineMs });
    const impossible = await topics.ensure(new Set(this.#topics));
    for (const [topic, reason] of impossible)
      this.#options.log("warn", "kafka:topic:unusable", { topic, consumer: this.#subscription.consumer, reason });
    const usable = this.#topics.filter((topic) => !impossible.has(topic));
    if (usable.length === 0) throw this.#failed("as none of them can be made");
    if (over.aborted || this.#draining.signal.aborted) return;
    const consumer = new Consumer<Buffer, Buffer, Buffer, Buffer>({
      clientId: `troupe-${this.#subscription.consumer}`,
      groupId: `${topicPrefix}${this.#subscription.consumer}`,
      ...connectionOptions(this.#brokers, security),
      timeout: this.#deadlineMs,
      connectTimeout: this.#deadlineMs,
      retries: 2,
      retryDelay: 100,
      groupInstanceId: STATIC_MEMBER, // KafkaSource.K3
      sessionTimeout: SESSION_TIMEOUT_MS,
      heartbeatInterval: HEARTBEAT_MS,
      maxWaitTime: FETCH_WAIT_MS,
      autocommit: false,
    });
    const ended = new AbortController();
    try {
      const stream = await consumer.consume({
        topics: usable,
        mode: MessagesStreamModes.COMMITTED,
        fallbackMode: MessagesStreamFallbackModes.EARLIEST,
      });
      stream.on("error", () => undefined); // the iteration throws it, if it still goes on
      this.#usable = usable;
      this.#consumer = consumer;
      up();
      const taking = this.#take(stream, AbortSignal.any([over, ended.signal]));
      taking.catch(() => undefined);
      await Promise.race([taking, untilAborted(over), this.#watch(AbortSignal.any([over, ended.signal]))]);
    } catch (error) {
      throw this.#failed(`as ${kafkaReason(error)}`);
    } finally {
      ended.abort();
      this.#consumer = undefined;
      // Politely, so that the group need not wait for it; but the brokers may be gone.
      const over5 = pause(this.#deadlineMs);
      await Promise.race([consumer.close(true).catch(() => undefined), over5]);
    }
  }

  async #take(stream: MessagesStream<Buffer, Buffer, Buffer, Buffer>, over: AbortSignal): Promise<void> {
    const { maxInFlight } = this.#subscription;
    const runs = new Map<string, Run>();
    const halt = AbortSignal.any([over, this.#draining.signal]);
    for await (const message of stream as AsyncIterable<KafkaMessage>) {
      await this.#inFlight.below(maxInFlight, halt);
      // Those under way commit through this stream: it is left open until the session is over.
      if (halt.aborted) return untilAborted(over);
      const place = `${message.topic}/${message.partition}`;
      const run = runs.get(place) ?? new Run();
      runs.set(place, run);
      run.begin(message);
      this.#inFlight.add(message, this.#handle(message), async (how) => {
        if (how === "taken") await run.taken(message);
      });
    }
    throw new Error("the stream of messages has ended");
  }

  #handle({ value, headers }: KafkaMessage): Promise<Handled> {
    const { types, handle, skipped } = this.#subscription;
    const type = typeOf(headers);
    // Of another type of the noun; what names none may be anything.
    if (type !== "" && !types.includes(type)) return TAKEN;
    if (value === undefined || value === null) {
      skipped?.("a tombstone: it has a key and no value"); // KafkaSource.K4
      return TAKEN;
    }
    return handle({ body: value.toString() });
  }

  /** KafkaSource.K2 */
  async #watch(over: AbortSignal): Promise<never> {
    for (;;) {
      await pause(WATCH_MS, over);
      if (over.aborted) return new Promise<never>(() => undefined);
      await checkBrokers(this.#brokers, this.#deadlineMs, this.#options.security);
    }
  }

  #inTime<T>(work: Promise<T>): Promise<T> {
    return within(this.#deadlineMs, work, () => this.#failed(`within ${this.#deadlineMs} ms`));
  }

  #failed(why: string): KafkaUnavailableError {
    return new KafkaUnavailableError(`Cannot consume ${this.#topics.join(", ")} from Kafka ${why}`);
  }
}

/** The messages of a partition that were handed over and are not committed, in their order. */
class Run {
  readonly #messages: KafkaMessage[] = [];
  readonly #taken = new Set<KafkaMessage>();

  begin(message: KafkaMessage): void {
    this.#messages.push(message);
  }

  /** Commits the run of taken messages at the head, where this one made it longer (KafkaSource.K1). */
  async taken(message: KafkaMessage): Promise<void> {
    this.#taken.add(message);
    let last: KafkaMessage | undefined;
    for (let head = this.#messages[0]; head !== undefined && this.#taken.delete(head); head = this.#messages[0]) {
      last = head;
      this.#messages.shift();
    }
    await last?.commit();
  }
}

/** The event's type as its header says; empty where none does. */
function typeOf(headers: KafkaMessage["headers"]): string {
  for (const [name, value] of headers) if (name?.toString() === "ce_type") return value?.toString() ?? "";
  return "";
}
