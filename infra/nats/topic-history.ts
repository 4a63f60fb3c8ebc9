import { AckPolicy, DeliverPolicy, jetstream, jetstreamManager, type JetStreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { TroupeError } from "#runtime";
import { TopicEntry, type TopicHistory, type TopicPage } from "#runtime/internal";
import type { NatsLink } from "./connection.ts";
import { readTopicMessage, topicSubject } from "./topic-message.ts";

const ANSWER_MS = 5_000;
const NANOS_PER_MS = 1_000_000;
/** Reads under way at once: a crowd that comes back waits here, not in the server. */
const MAX_READS = 16;

export interface TopicHistoryOptions {
  readonly stream: string;
  readonly subjectPrefix: string;
  readonly generation: () => string;
}

/** The history of topics as the stream keeps it. */
export class NatsTopicHistory implements TopicHistory {
  readonly #link: NatsLink;
  readonly #options: TopicHistoryOptions;
  readonly #waiting: (() => void)[] = [];
  #reads = 0;

  constructor(link: NatsLink, options: TopicHistoryOptions) {
    this.#link = link;
    this.#options = options;
  }

  async lastSeq(): Promise<number> {
    try {
      return (
        await this.#link.use("look at the topics", ANSWER_MS, async (client) => this.#state(await managerOf(client)))
      ).last_seq;
    } catch (cause) {
      throw new TroupeError("unavailable", "Cannot subscribe as the history of topics cannot be reached", { cause });
    }
  }

  async read(topics: readonly string[], after: number, limit: number): Promise<TopicPage> {
    if (this.#reads >= MAX_READS) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#reads++;
    try {
      return await this.#link.use("read the history of topics", 2 * ANSWER_MS, (client) =>
        this.#page(client, topics, after, limit),
      );
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#reads--;
      else next();
    }
  }

  async #page(client: NatsConnection, topics: readonly string[], after: number, limit: number): Promise<TopicPage> {
    const { stream, subjectPrefix, generation } = this.#options;
    const manager = await managerOf(client);
    const before = await this.#state(manager);
    const consumer = await manager.consumers.add(stream, {
      ack_policy: AckPolicy.None,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: after + 1,
      filter_subjects: topics.map((topic) => topicSubject(topic, subjectPrefix)),
      mem_storage: true,
      num_replicas: 1,
      inactive_threshold: 2 * ANSWER_MS * NANOS_PER_MS,
    });
    const wanted = Math.min(limit, consumer.num_pending);
    const entries: TopicEntry[] = [];
    if (wanted > 0) {
      const pull = jetstream(client).consumers.getConsumerFromInfo(consumer);
      for await (const message of await pull.fetch({ max_messages: wanted, expires: ANSWER_MS })) {
        const { topic, type, body } = readTopicMessage(message, subjectPrefix);
        entries.push(new TopicEntry(generation(), message.seq, topic, type, body));
      }
    }
    void manager.consumers.delete(stream, consumer.name).catch(() => undefined); // it would go by itself
    // Looked at last: what the limits took meanwhile must not pass for silence.
    const { first_seq: first } = await this.#state(manager);
    const last = entries.at(-1)?.seq ?? after;
    const complete = entries.length >= consumer.num_pending;
    return { entries, upTo: complete ? Math.max(last, before.last_seq) : last, first };
  }

  async #state(manager: JetStreamManager): Promise<{ readonly first_seq: number; readonly last_seq: number }> {
    return (await manager.streams.info(this.#options.stream)).state;
  }
}

function managerOf(client: NatsConnection): Promise<JetStreamManager> {
  return jetstreamManager(client, { timeout: ANSWER_MS, checkAPI: false });
}
