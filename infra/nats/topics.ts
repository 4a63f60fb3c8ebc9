import { jetstreamManager } from "@nats-io/jetstream";
import { type Clock, type Log, systemClock, type Topics } from "#runtime";
import { TopicHub, type TopicLimits } from "#runtime/internal";
import type { NatsLink } from "./connection.ts";
import { EventPublisher } from "./event-publisher.ts";
import { TopicFeed } from "./topic-feed.ts";
import { NatsTopicHistory } from "./topic-history.ts";
import { TOPIC_SUBJECT_PREFIX, topicMessage } from "./topic-message.ts";

/** What the topics are kept in. The limits are those of the whole history: oldest messages go first. */
export interface NatsTopicsOptions {
  /** Shared; stays open. */
  readonly connection: NatsLink;
  readonly log: Log;
  /** @default "TOPICS" */
  readonly stream?: string;
  /** The stream takes `<prefix>.>`. @default "topic" */
  readonly subjectPrefix?: string;
  /** Milliseconds a message is kept. @default 1 hour */
  readonly maxAgeMs?: number;
  /** The server reserves as much. @default 64 MB */
  readonly maxBytes?: number;
  /** How long a repeat of an id is recognised, in milliseconds. @default 120_000 */
  readonly dedupeWindowMs?: number;
  /** Copies in a NATS cluster, when the stream is made. @default 1 */
  readonly replicas?: number;
  /** What each node keeps at hand, so that a crowd that comes back costs the stream nothing. @default 10_000 messages, 10 minutes, 16 M characters */
  readonly memory?: Partial<TopicLimits>;
  readonly clock?: Clock;
}

const READY_MS = 5_000;

/**
 * Topics in a JetStream stream: every node follows it with one consumer, from its first subscription on, and the
 * stream's numbers are the ids that clients resume after.
 *
 * The history is bounded as a whole, not per topic: so it is one range without holes, and whether it still holds
 * everything behind an id is one comparison. The price: a noisy topic shortens the history of a quiet one.
 *
 * @example
 * ```ts
 * const connection = connectNats({ url: "nats://localhost:4222", log: silentLog });
 * const topics = natsTopics({ connection, log: silentLog });
 * const node = await createTroupe({ actors: [Counter], stores: { default: memory() }, topics });
 * ```
 */
export function natsTopics(options: NatsTopicsOptions): Topics {
  const { connection, log, clock = systemClock } = options;
  const stream = {
    stream: options.stream ?? "TOPICS",
    subjectPrefix: options.subjectPrefix ?? TOPIC_SUBJECT_PREFIX,
    maxAgeMs: options.maxAgeMs ?? 3_600_000,
    maxBytes: options.maxBytes ?? 67_108_864,
    ...(options.dedupeWindowMs === undefined ? {} : { dedupeWindowMs: options.dedupeWindowMs }),
    ...(options.replicas === undefined ? {} : { replicas: options.replicas }),
  };
  const publisher = new EventPublisher(connection, { ...stream, log, toMessage: topicMessage });
  const limits = { maxMessages: 10_000, maxAgeMs: 600_000, maxLength: 16_777_216, ...options.memory };
  const history = new NatsTopicHistory(connection, { ...stream, generation: () => hub.generation });
  const hub: TopicHub = new TopicHub({ clock, limits, history });
  const feed = new TopicFeed(connection, hub, { ...stream, log });
  return {
    sink: {
      name: "topics",
      accepts: "broadcast",
      lane: { kind: "batch", maxBatch: 900 },
      publish: (records) => publisher.publish(records),
      check: () =>
        connection.use("check JetStream", 2_000, async (client) => {
          await (await jetstreamManager(client, { timeout: 2_000, checkAPI: false })).getAccountInfo();
        }),
      close: () => Promise.resolve(),
    },
    async subscribe(topics, subscription) {
      await feed.ready(READY_MS);
      return hub.subscribe(topics, subscription);
    },
    async close() {
      hub.close();
      await feed.stop();
    },
  };
}
