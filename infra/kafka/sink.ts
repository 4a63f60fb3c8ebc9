/**
 * The sink `kafka`.
 *
 * K1 A record is acked only after all in-sync replicas have it (`acks=all`).
 * K2 Records of a key in a topic are written in the order given: they share a partition, a send is one record batch
 *    per partition, taken whole or not at all, and the next send starts when the one before has ended. Between the
 *    topics of an actor that emits events of several nouns there is no order.
 * K3 The producer is idempotent: what it sends again by itself is written once. What `publish` sends again after it
 *    threw may be there twice, with the same `ce_id`.
 */
import type { Log, OutboxRecord, PublishResult, Sink } from "#runtime";
import { checkBrokers } from "./check.ts";
import { isUnknownTopic, KafkaUnavailableError } from "./errors.ts";
import { type EventMessage, eventMessage, runs } from "./message.ts";
import { EventProducer, isTooLarge } from "./producer.ts";
import { Topics } from "./topics.ts";

/**
 * Below the 1,048,588 bytes that Kafka takes as one record batch by default, whichever partitions the records go to.
 */
const MAX_RUN_BYTES = 1_000_000;
const ACKED: PublishResult = { kind: "acked" };

/** Options of {@link kafkaSink}. */
export interface KafkaSinkOptions {
  /** `127.0.0.1:9092`, some of the cluster's brokers; as a list or separated by commas. */
  readonly brokers: string | readonly string[];
  readonly log: Log;
  /** Stands before every topic's name. @default "" */
  readonly topicPrefix?: string;
  /** Of topics that are made on first use. @default 6 */
  readonly partitions?: number;
  /** Copies of topics that are made on first use; -1 takes the broker's default. @default -1 */
  readonly replicas?: number;
  /** Records per `publish` call. @default 1_000 */
  readonly maxBatch?: number;
  /** Milliseconds until a send counts as lost. @default 5_000 */
  readonly deadlineMs?: number;
}

/**
 * Events go to the topic of their noun (`order.events.v1`), keyed by the actor's key, in order per key.
 *
 * `publish` rejects, within a few deadlines, with {@link KafkaUnavailableError} when the brokers are away, and with the
 * broker's own words when it refuses for now. A record over the topic's `max.message.bytes`, or with a type that gives
 * no topic, is `refused`; the others go on.
 *
 * @example
 * ```ts
 * const sinks = [kafkaSink({ brokers: "localhost:9092", log: silentLog })];
 * const node = await createTroupe({ actors: [Counter], stores: { default: memory() }, sinks });
 * ```
 */
export function kafkaSink(options: KafkaSinkOptions): Sink {
  const brokers =
    typeof options.brokers === "string" ? options.brokers.split(",").map((broker) => broker.trim()) : options.brokers;
  const { log, deadlineMs = 5_000, topicPrefix = "", partitions = 6, replicas = -1 } = options;
  const producer = new EventProducer({ brokers, log, deadlineMs });
  const topics = new Topics({ brokers, partitions, replicas, timeoutMs: deadlineMs });

  async function publish(records: readonly OutboxRecord[]): Promise<readonly PublishResult[]> {
    const refused = new Map<string, PublishResult>();
    const messages: EventMessage[] = [];
    for (const record of records) {
      try {
        messages.push(eventMessage(record, topicPrefix));
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        refused.set(record.id, { kind: "refused", detail: error.message });
      }
    }
    try {
      await topics.ensure(new Set(messages.map(({ topic }) => topic)));
      for (const run of runs(messages, MAX_RUN_BYTES)) await send(run, refused);
    } catch (error) {
      if (isUnknownTopic(error instanceof KafkaUnavailableError ? error.cause : error)) topics.forget();
      throw error;
    }
    return records.map((record) => refused.get(record.id) ?? ACKED);
  }

  /** Halves what is too large until single records remain: only those are refused, whatever the topic's limit is. */
  async function send(run: readonly EventMessage[], refused: Map<string, PublishResult>): Promise<void> {
    try {
      await producer.send(run);
    } catch (error) {
      if (!isTooLarge(error)) throw error;
      if (run.length === 1) {
        const [{ record, sizeBytes }] = run as readonly [EventMessage];
        refused.set(record.id, { kind: "refused", detail: `The topic does not take an event of ${sizeBytes} bytes` });
        return;
      }
      const middle = Math.ceil(run.length / 2);
      await send(run.slice(0, middle), refused);
      await send(run.slice(middle), refused);
    }
  }

  return {
    name: "kafka",
    accepts: "event",
    lane: { kind: "batch", maxBatch: options.maxBatch ?? 1_000 },
    publish,
    check: () => checkBrokers(brokers, 2_000),
    close: async () => producer.close(),
  };
}
