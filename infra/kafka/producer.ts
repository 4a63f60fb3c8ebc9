import { compatibilityPartitioner, Producer } from "@platformatic/kafka";
import type { Log } from "#runtime";
import { within } from "../base/deadline.ts";
import { kafkaReason, KafkaUnavailableError } from "./errors.ts";
import type { KafkaMessage } from "./message.ts";
import { isRefusal } from "./refusal.ts";
import { connectionOptions, type KafkaSecurity } from "./security.ts";

export interface EventProducerOptions {
  readonly brokers: readonly string[];
  /** TLS, and who we are. @default neither */
  readonly security?: KafkaSecurity | undefined;
  readonly log: Log;
  /** Milliseconds until a request counts as lost. @default 5_000 */
  readonly deadlineMs?: number;
}

const RETRY_MS = 100;
const RETRIES = 3;

/**
 * An idempotent producer with a bound on how long a send may take.
 *
 * The client's producer tries again by itself, with the same sequence numbers, so a lost answer makes no double. One
 * that failed or hung beyond the deadline is thrown away and the next send makes a new one: its sockets and sequence
 * numbers are not to be trusted. Kafka cannot tell the repeats of a new producer; consumers do, by `ce_id`.
 */
export class EventProducer {
  readonly #options: EventProducerOptions;
  readonly #deadlineMs: number;
  #producer: Producer | undefined;

  constructor(options: EventProducerOptions) {
    this.#options = options;
    this.#deadlineMs = options.deadlineMs ?? 5_000;
  }

  /**
   * Resolves when every message is written by all in-sync replicas; those of a partition in the given order.
   * @throws {KafkaUnavailableError} not within the deadline, or the broker is away.
   * @throws the client's error when the broker refused; some partitions may have taken theirs.
   */
  async send(messages: readonly KafkaMessage[]): Promise<void> {
    const producer = (this.#producer ??= this.#create());
    const sent = producer.send({
      messages: messages.map(({ topic, key, value, headers, timestamp }) => ({
        topic,
        key,
        value,
        headers,
        timestamp,
      })),
    });
    // When the deadline wins, the end of the send is nobody's concern any more.
    const text = `Cannot publish ${messages.length} events as Kafka did not answer within ${this.#deadlineMs} ms`;
    try {
      await within(this.#deadlineMs, sent, () => new KafkaUnavailableError(text));
    } catch (error) {
      this.#discard(producer);
      throw error instanceof KafkaUnavailableError || isRefusal(error)
        ? error
        : new KafkaUnavailableError(`Cannot publish ${messages.length} events: ${kafkaReason(error)}`, {
            cause: error,
          });
    }
  }

  close(): void {
    if (this.#producer !== undefined) this.#discard(this.#producer);
  }

  #create(): Producer {
    return new Producer({
      clientId: "troupe-sink",
      ...connectionOptions(this.#options.brokers, this.#options.security),
      idempotent: true,
      // The hash of Java clients, so that their events with the same key land in the same partition.
      partitioner: compatibilityPartitioner,
      timeout: this.#deadlineMs,
      connectTimeout: this.#deadlineMs,
      retries: RETRIES,
      retryDelay: RETRY_MS,
    });
  }

  #discard(producer: Producer): void {
    if (this.#producer === producer) this.#producer = undefined;
    // Closing waits for sockets that may never answer.
    producer
      .close(true)
      .catch((error: unknown) => this.#options.log("debug", "kafka:close:failed", { reason: kafkaReason(error) }));
  }
}
