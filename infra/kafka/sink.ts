import type { Log, OutboxRecord, PublishResult, Sink } from "#runtime";
/**
 * The sink `kafka`.
 *
 * K1 A record is acked only after all in-sync replicas have it (`acks=all`).
 * K2 Records of a key in a topic are written in the order given: they share a partition, a send is one record batch
 *    per partition, taken whole or not at all, and the next send starts when the one before has ended. Between the
 *    topics of an actor that emits events of several nouns there is no order.
 * K3 The producer is idempotent: what it sends again by itself is written once. What `publish` sends again after it
 *    threw may be there twice, with the same `ce_id`.
 * K4 What Kafka will never take is found among the others and refused. A topic that takes nothing now (too few replicas) holds
 *    its own records: after a send that failed each topic is tried by itself.
 */
import { groupBy } from "../base/group-by.ts";
import { checkBrokers } from "./check.ts";
import { isUnknownTopic, kafkaReason, KafkaUnavailableError } from "./errors.ts";
import { type EventMessage, eventMessage, runs } from "./message.ts";
import { EventProducer } from "./producer.ts";
import { isNever, isRefusal } from "./refusal.ts";
import { type KafkaSecurity } from "./security.ts";
import { Topics } from "./topics.ts";

/**
 * Below the 1,048,588 bytes that Kafka takes as one record batch by default, whichever partitions the records go to.
 */
const MAX_RUN_BYTES = 1_000_000;
const ACKED: PublishResult = { kind: "acked" };
const HELD: PublishResult = { kind: "held" };

type Refuse = (record: OutboxRecord, detail: string) => void;

/** Options of {@link kafkaSink}. */
export interface KafkaSinkOptions {
  /** `127.0.0.1:9092`, some of the cluster's brokers; as a list or separated by commas. */
  readonly brokers: string | readonly string[];
  /** TLS, and who we are. @default neither */
  readonly security?: KafkaSecurity | undefined;
  readonly log: Log;
  /** Stands before every topic's name. @default "" */
  readonly topicPrefix?: string;
  /** Of topics that are made on first use. @default 6 */
  readonly partitions?: number;
  /** Copies of topics that are made on first use; -1 takes the broker's default. @default -1 */
  readonly replicas?: number;
  /** Records per `publish` call: with usual events what one produce takes, and a half more. @default 2_000 */
  readonly maxBatch?: number;
  /** Milliseconds until a send counts as lost. @default 5_000 */
  readonly deadlineMs?: number;
}

/**
 * Events go to the topic of their noun (`order.events.v1`), keyed by the actor's key, in order per key.
 *
 * `publish` rejects, within a few deadlines, with {@link KafkaUnavailableError} when the brokers are away, and with the
 * broker's own words when it takes nothing for now. A record that its topic will never take (over `max.message.bytes`, against
 * its rules for timestamps, not to be written by this user), or with a type that gives no topic, is `refused`; one whose topic
 * does not take it now is `held`. The others go on.
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
  const { log, security, deadlineMs = 5_000, topicPrefix = "", partitions = 6, replicas = -1 } = options;
  const producer = new EventProducer({ brokers, security, log, deadlineMs });
  const topics = new Topics({ brokers, security, partitions, replicas, timeoutMs: deadlineMs });

  async function publish(records: readonly OutboxRecord[]): Promise<readonly PublishResult[]> {
    const results = new Map<string, PublishResult>();
    const refuse = ({ id }: OutboxRecord, detail: string): void => void results.set(id, { kind: "refused", detail });
    const messages: EventMessage[] = [];
    for (const record of records) {
      try {
        messages.push(eventMessage(record, topicPrefix));
      } catch (error) {
        if (!(error instanceof RangeError)) throw error;
        refuse(record, error.message);
      }
    }
    try {
      const impossible = await topics.ensure(new Set(messages.map(({ topic }) => topic)));
      for (const { topic, record } of messages) {
        const why = impossible.get(topic);
        if (why !== undefined) refuse(record, `Kafka does not take the topic ${topic}: ${why}`);
      }
      const left = messages.filter(({ record }) => !results.has(record.id));
      const held = new Map<string, unknown>();
      for (const run of runs(left, MAX_RUN_BYTES)) await sendRun(run, held, refuse);
      for (const { topic, record } of left) if (held.has(topic)) results.set(record.id, HELD);
      // Nothing is taken at all: it is Kafka that is not well.
      if (left.length > 0 && left.every(({ topic }) => held.has(topic))) throw held.get(left[0]?.topic ?? "");
      return records.map((record) => results.get(record.id) ?? ACKED);
    } catch (error) {
      if (isUnknownTopic(error instanceof KafkaUnavailableError ? error.cause : error)) topics.forget();
      throw error;
    }
  }

  /** KafkaSink.K4. Topics that do not take records now are put into `held`, and get no more of this batch. */
  async function sendRun(run: readonly EventMessage[], held: Map<string, unknown>, refuse: Refuse): Promise<void> {
    const open = run.filter(({ topic }) => !held.has(topic));
    const groups = groupBy(open, ({ topic }) => topic);
    if (groups.size === 0) return;
    if (groups.size > 1) {
      try {
        return await producer.send(open);
      } catch (error) {
        if (!isRefusal(error)) await checkBrokers(brokers, 2_000, security).catch(() => Promise.reject(error as Error));
      }
    }
    for (const [topic, group] of groups) {
      try {
        await sendOfTopic(group, refuse);
      } catch (error) {
        if (isUnknownTopic(error instanceof KafkaUnavailableError ? error.cause : error)) topics.forget();
        held.set(topic, error);
      }
    }
  }

  /** Halves what will never be taken until single records remain: only those are refused, whatever the topic's rules are. */
  async function sendOfTopic(group: readonly EventMessage[], refuse: Refuse): Promise<void> {
    try {
      await producer.send(group);
    } catch (error) {
      if (!isNever(error)) throw error;
      if (group.length === 1) {
        const [{ record, sizeBytes, topic }] = group as readonly [EventMessage];
        refuse(record, `The topic ${topic} does not take an event of ${sizeBytes} bytes: ${kafkaReason(error)}`);
        return;
      }
      const middle = Math.ceil(group.length / 2);
      await sendOfTopic(group.slice(0, middle), refuse);
      await sendOfTopic(group.slice(middle), refuse);
    }
  }

  return {
    name: "kafka",
    accepts: "event",
    lane: { kind: "batch", maxBatch: options.maxBatch ?? 2_000 },
    publish,
    check: () => checkBrokers(brokers, 2_000, security),
    close: async () => producer.close(),
  };
}
