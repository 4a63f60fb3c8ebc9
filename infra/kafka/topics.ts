import { Admin } from "@platformatic/kafka";
import { eventNoun } from "#runtime";
import { findKafkaError, kafkaReason, KafkaUnavailableError } from "./errors.ts";
import { connectionOptions, type KafkaSecurity } from "./security.ts";

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

/** Topics that are remembered to be there. */
const MAX_KNOWN = 10_000;
const IMPOSSIBLE = ["INVALID_TOPIC_EXCEPTION"] as const;
const NOT_OURS_TO_MAKE = ["TOPIC_AUTHORIZATION_FAILED", "CLUSTER_AUTHORIZATION_FAILED", "POLICY_VIOLATION"] as const;

export interface TopicOptions {
  readonly brokers: readonly string[];
  /** TLS, and who we are. @default neither */
  readonly security?: KafkaSecurity | undefined;
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
   * The topics exist afterwards, but those that Kafka will never make, or let this user write to: resolves with these, and why.
   * Another process may make them at the same time.
   * @throws {KafkaUnavailableError} the brokers are away, or did not make one.
   */
  async ensure(names: ReadonlySet<string>): Promise<ReadonlyMap<string, string>> {
    const refused = new Map<string, string>();
    const missing = [...names].filter((name) => !this.#known.has(name));
    if (missing.length === 0) return refused;
    const { brokers, security, partitions = 6, replicas = -1, timeoutMs = 5_000 } = this.#options;
    const admin = new Admin({
      clientId: "troupe-topics",
      ...connectionOptions(brokers, security),
      timeout: timeoutMs,
      connectTimeout: timeoutMs,
      retries: 2,
      retryDelay: 100,
    });
    try {
      for (const name of missing) {
        try {
          await admin.createTopics({ topics: [name], partitions, replicas });
        } catch (error) {
          const why = kafkaReason(error);
          if (findKafkaError(error, NOT_OURS_TO_MAKE)) {
            // A user who may not make topics may write to those that are there.
            const there = await admin.metadata({ topics: [name] }).catch(() => undefined);
            if (!there?.topics.has(name)) refused.set(name, why);
          } else if (findKafkaError(error, IMPOSSIBLE)) {
            refused.set(name, why);
          } else if (!findKafkaError(error, ["TOPIC_ALREADY_EXISTS"])) {
            throw new KafkaUnavailableError(`Cannot make the topic ${name}: ${why}`, { cause: error });
          }
        }
        if (!refused.has(name)) this.#remember(name);
      }
      return refused;
    } finally {
      // Its sockets may be half open; their end is nobody's concern.
      void admin.close().catch(() => undefined);
    }
  }

  #remember(name: string): void {
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    this.#known.add(name);
  }

  /** Looks again on the next use: topics may have been deleted. */
  forget(): void {
    this.#known.clear();
  }
}
