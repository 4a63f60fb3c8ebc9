import { checkBrokers } from "#infra/kafka/check.ts";
import { findKafkaError, isUnknownTopic, kafkaReason, KafkaUnavailableError } from "#infra/kafka/errors.ts";
import { type KafkaMessage, runs } from "#infra/kafka/message.ts";
import { EventProducer } from "#infra/kafka/producer.ts";
import { isNever, isRefusal, isTooLarge } from "#infra/kafka/refusal.ts";
import type { KafkaSecurity } from "#infra/kafka/security.ts";
import { Topics } from "#infra/kafka/topics.ts";
import type { Log } from "#runtime";
import { HeldRouteError, RefusedRouteError, type Routed, type RoutedBroker } from "./routed.ts";

export interface RoutedKafkaOptions {
  /** `127.0.0.1:9092`, several separated by commas. */
  readonly brokers: string;
  /** TLS, and who we are. @default neither */
  readonly security?: KafkaSecurity | undefined;
  readonly log: Log;
  /** Stands before every topic's name. @default "" */
  readonly topicPrefix?: string;
}

interface Waiting {
  readonly message: KafkaMessage;
  readonly taken: PromiseWithResolvers<void>;
}

const MAX_RUN_BYTES = 1_000_000;
const MAX_TOPIC = 249;
const CONTENT_TYPE = Buffer.from("application/cloudevents+json");

/**
 * Events to topics that routes name, keyed by their subject: `ce_id`, `ce_type` and `content-type` are headers. A topic
 * that is missing is made.
 *
 * Per topic one send is under way, with all that has gathered meanwhile: a topic that cannot be written holds up no other.
 */
export function routedKafka({
  brokers: list,
  security,
  log,
  topicPrefix = "",
}: RoutedKafkaOptions): RoutedBroker<"kafka"> {
  const brokers = list.split(",").map((broker) => broker.trim());
  const topics = new Topics({ brokers, security });
  const producer = new EventProducer({ brokers, security, log });
  const waiting = new Map<string, Waiting[]>();

  async function drain(topic: string, queue: Waiting[]): Promise<void> {
    await Promise.resolve(); // what comes in the same turn of the loop goes along
    for (let batch = queue.splice(0); batch.length > 0; batch = queue.splice(0)) await sendAll(topic, batch);
    waiting.delete(topic);
  }

  async function sendAll(topic: string, batch: readonly Waiting[]): Promise<void> {
    let sent = 0;
    try {
      const why = (await topics.ensure(new Set([topic]))).get(topic);
      if (why !== undefined) throw new RefusedRouteError("route", `Kafka does not take the topic ${topic}: ${why}`);
      for (const run of runs(
        batch.map(({ message }) => message),
        MAX_RUN_BYTES,
      )) {
        await producer.send(run);
        for (const { taken } of batch.slice(sent, sent + run.length)) taken.resolve();
        sent += run.length;
      }
    } catch (error) {
      if (isUnknownTopic(error instanceof KafkaUnavailableError ? error.cause : error)) topics.forget();
      const rest = batch.slice(sent);
      if (isNever(error) && rest.length > 1) {
        // By halves: only the ones that are meant are refused.
        const middle = Math.ceil(rest.length / 2);
        await sendAll(topic, rest.slice(0, middle));
        await sendAll(topic, rest.slice(middle));
        return;
      }
      const failure = failureOf(topic, error);
      for (const { taken } of rest) taken.reject(failure);
    }
  }

  return {
    broker: "kafka",
    send(routed) {
      const topic = topicPrefix + routed.to.topic;
      if (topic.length > MAX_TOPIC)
        throw new RefusedRouteError("route", `Kafka takes no topic of ${topic.length} characters`);
      const one = { message: messageOf(topic, routed), taken: Promise.withResolvers<void>() };
      const queue = waiting.get(topic);
      if (queue === undefined) {
        const first = [one];
        waiting.set(topic, first);
        void drain(topic, first);
      } else {
        queue.push(one);
      }
      return one.taken.promise;
    },
    check: () => checkBrokers(brokers, 2_000, security),
    close: async () => producer.close(),
  };
}

function failureOf(topic: string, error: unknown): unknown {
  if (isTooLarge(error))
    return new RefusedRouteError("broker", `The topic ${topic} does not take an event of this size`);
  if (findKafkaError(error, ["INVALID_TOPIC_EXCEPTION"]))
    return new RefusedRouteError("route", `Kafka takes no topic of the name ${topic}`);
  if (isNever(error))
    return new RefusedRouteError("broker", `The topic ${topic} does not take it: ${kafkaReason(error)}`);
  if (isRefusal(error)) return new HeldRouteError(`The topic ${topic} takes nothing now: ${kafkaReason(error)}`);
  return error;
}

function messageOf(topic: string, { key, id, type, event, traceparent, at }: Routed<"kafka">): KafkaMessage {
  const headers = new Map([
    [Buffer.from("ce_id"), Buffer.from(id)],
    [Buffer.from("ce_type"), Buffer.from(type)],
    [Buffer.from("content-type"), CONTENT_TYPE],
  ]);
  if (traceparent !== undefined) headers.set(Buffer.from("traceparent"), Buffer.from(traceparent));
  const value = Buffer.from(event);
  const sizeBytes = value.length + 2 * key.length + 2 * id.length + 512;
  return { topic, key: Buffer.from(key), value, headers, timestamp: BigInt(at), sizeBytes };
}
