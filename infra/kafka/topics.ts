import { Admin } from "@platformatic/kafka";
import { eventNoun } from "#runtime";
import { findKafkaError, kafkaReason, KafkaUnavailableError } from "./errors.ts";

/** What Kafka takes as a topic's name; `_` is left out, as `a.b` and `a_b` are one name in its metrics. */
const NOUN = /^[A-Za-z0-9-]{1,200}$/;

/**
 * The topic of an event type: `order.events.v1` for `order.placed.v1`. All events of a noun share it, so that those of
 * one actor stay in order.
 * @throws {RangeError} the noun (what stands before the first dot) is not letters, digits and `-`.
 */
export function eventTopic(type: string, prefix = ""): string {
  const noun = eventNoun(type);
  if (!NOUN.test(noun)) {
    throw new RangeError(
      `Cannot derive a topic from the event type ${JSON.stringify(type.slice(0, 80))} as its noun is not letters, digits and -`,
    );
  }
  return `${prefix}${noun}.events.v1`;
}

export interface TopicOptions {
  readonly brokers: readonly string[];
  /** Of a topic that is made; an existing one keeps its own. @default 6 */
  readonly partitions?: number;
  /** Copies of each partition; -1 takes the broker's default. @default -1 */
  readonly replicas?: number;
  /** Milliseconds that one request may take. @default 5_000 */
  readonly timeoutMs?: number;
}

/** Makes topics on first use and remembers which are there. */
export class Topics {
  readonly #options: TopicOptions;
  readonly #known = new Set<string>();

  constructor(options: TopicOptions) {
    this.#options = options;
  }

  /**
   * All the topics exist afterwards; another process may make them at the same time.
   * @throws {KafkaUnavailableError} the brokers are away, or did not make one.
   */
  async ensure(names: ReadonlySet<string>): Promise<void> {
    const missing = [...names].filter((name) => !this.#known.has(name));
    if (missing.length === 0) return;
    const { brokers, partitions = 6, replicas = -1, timeoutMs = 5_000 } = this.#options;
    const admin = new Admin({
      clientId: "troupe-topics",
      bootstrapBrokers: [...brokers],
      timeout: timeoutMs,
      connectTimeout: timeoutMs,
      retries: 2,
      retryDelay: 100,
    });
    try {
      for (const name of missing) {
        await admin.createTopics({ topics: [name], partitions, replicas }).catch((error: unknown) => {
          if (findKafkaError(error, ["TOPIC_ALREADY_EXISTS"])) return;
          throw new KafkaUnavailableError(`Cannot make the topic ${name}: ${kafkaReason(error)}`, { cause: error });
        });
        this.#known.add(name);
      }
    } finally {
      // Its sockets may be half open; their end is nobody's concern.
      void admin.close().catch(() => undefined);
    }
  }

  /** Looks again on the next use: topics may have been deleted. */
  forget(): void {
    this.#known.clear();
  }
}
