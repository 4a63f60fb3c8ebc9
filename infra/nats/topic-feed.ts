import {
  AckPolicy,
  type ConsumerMessages,
  DeliverPolicy,
  jetstream,
  jetstreamManager,
  type StreamInfo,
} from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/transport-node";
import { type Log, TroupeError } from "#runtime";
import { withResolvers } from "#runtime/internal";
/**
 * Follows the topics' stream from one message to the next, for ever.
 *
 * Owns: the node's one consumer, and beginning anew where it ended. Does not own: the connection, who hears a message.
 * Calls in: `ready`, `stop`. Calls out: `target.restart`, `target.publish`.
 *
 * F1 messages are handed over in the stream's order, each once: after whatever broke, the feed goes on behind the last
 *    one it handed over.
 * F2 where the stream has lost what comes next (it was made anew, or its limits were faster than this node), the target
 *    is told to restart before anything behind the hole.
 */
import { within } from "../base/deadline.ts";
import type { NatsLink } from "./connection.ts";
import { type EventStreamOptions, ensureEventStream } from "./streams.ts";
import { readTopicMessage } from "./topic-message.ts";

/** The most a timer can count: the feed ends when the connection does, not by the clock. */
const NO_DEADLINE_MS = 0x7fffffff;
const ANSWER_MS = 5_000;
const RETRY_MS = 250;
const HEARTBEAT_MS = 2_000;
/** Messages read at the start: after a restart every client comes back at once, and should find what it missed at hand. */
const WARM_UP = 5_000;
const NANOS_PER_MS = 1_000_000;

/** Takes what the feed brings. */
export interface TopicFeedTarget {
  readonly generation: string;
  readonly log: { readonly end: number };
  restart(generation: string, end: number): void;
  publish(seq: number, topic: string, type: string, body: string): void;
}

export interface TopicFeedOptions extends EventStreamOptions {
  readonly stream: string;
  readonly subjectPrefix: string;
  readonly log: Log;
}

export class TopicFeed {
  readonly #link: NatsLink;
  readonly #target: TopicFeedTarget;
  readonly #options: TopicFeedOptions;
  readonly #opened = withResolvers<void>();
  readonly #stopping = withResolvers<void>();
  #running: Promise<void> | undefined;
  #stopped = false;

  constructor(link: NatsLink, target: TopicFeedTarget, options: TopicFeedOptions) {
    this.#link = link;
    this.#target = target;
    this.#options = options;
  }

  /**
   * Resolves when the feed has a place in the stream, from which on nothing is missed. Starts it.
   * @throws {TroupeError} `unavailable`: not within `withinMs`.
   */
  async ready(withinMs: number): Promise<void> {
    this.#running ??= this.#run();
    const text = `Cannot follow topics as NATS at ${this.#link.address} did not answer within ${withinMs} ms`;
    await within(withinMs, this.#opened.promise, () => new TroupeError("unavailable", text));
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#stopping.resolve();
    await this.#running;
  }

  async #run(): Promise<void> {
    let told = false;
    const opened = (): void => {
      told = false;
      this.#opened.resolve();
    };
    while (!this.#stopped) {
      try {
        await Promise.race([this.#link.ready(ANSWER_MS), this.#stopping.promise]);
        await this.#follow(opened);
      } catch (error) {
        if (!told) this.#options.log("warn", "topics:interrupted", { reason: String(error) });
        told = true;
      }
      if (!this.#stopped)
        await Promise.race([new Promise((wake) => setTimeout(wake, RETRY_MS)), this.#stopping.promise]);
    }
  }

  /** From opening the consumer to its end, or the connection's. */
  async #follow(opened: () => void): Promise<void> {
    // What the link interrupts does not end by itself: it still holds its consumer, and may have messages in hand.
    const over = new AbortController();
    const following = this.#link.use("follow the topics", NO_DEADLINE_MS, async (client) => {
      const { messages, behind } = await this.#open(client, over.signal);
      over.signal.addEventListener("abort", () => messages.stop());
      const silent = this.#silence(messages);
      if (!behind) opened();
      await Promise.race([this.#take(messages, over.signal, opened), silent]);
    });
    try {
      await Promise.race([following, this.#stopping.promise]);
    } finally {
      over.abort();
    }
  }

  /** Rejects when the server has missed two heartbeats: the library would wait for it up to half a minute more. */
  async #silence(messages: ConsumerMessages): Promise<never> {
    for await (const { type } of messages.status()) {
      if (type === "heartbeats_missed") break;
    }
    throw new Error(`the stream was silent for ${2 * HEARTBEAT_MS} ms, or its consumer has ended`);
  }

  async #open(
    client: NatsConnection,
    over: AbortSignal,
  ): Promise<{ readonly messages: ConsumerMessages; readonly behind: boolean }> {
    const { stream } = this.#options;
    const manager = await jetstreamManager(client, { timeout: ANSWER_MS, checkAPI: false });
    await ensureEventStream(manager, this.#options);
    const info = await manager.streams.info(stream);
    over.throwIfAborted();
    this.#place(info);
    const consumer = await manager.consumers.add(stream, {
      ack_policy: AckPolicy.None,
      deliver_policy: DeliverPolicy.StartSequence,
      opt_start_seq: this.#target.log.end + 1,
      mem_storage: true,
      num_replicas: 1,
      inactive_threshold: 30_000 * NANOS_PER_MS,
    });
    over.throwIfAborted();
    const behind = consumer.num_pending > 0;
    // What was between has gone meanwhile: the next message may be long in coming.
    if (!behind && this.#target.log.end < info.state.last_seq)
      this.#target.restart(this.#target.generation, info.state.last_seq); // TopicFeed.F2
    const messages = await jetstream(client).consumers.getConsumerFromInfo(consumer).consume({
      max_messages: 1_000,
      expires: 30_000,
      idle_heartbeat: HEARTBEAT_MS,
      abort_on_missing_resource: true,
    });
    if (over.aborted) messages.stop();
    return { messages, behind };
  }

  /** Whether the stream goes on where the target stands; where it does not, the target begins anew (TopicFeed.F2). */
  #place({ created, state }: StreamInfo): void {
    const generation = Date.parse(created).toString(36);
    const { end } = this.#target.log;
    if (this.#target.generation !== generation) {
      // The first time, what is older than the warm-up is read from the stream when asked for. Later, it is a stream made
      // anew, and all of it is news.
      const first = this.#target.generation === "0" ? state.last_seq - WARM_UP : 0;
      this.#target.restart(generation, Math.max(0, first, state.first_seq - 1));
    } else if (end > state.last_seq) {
      this.#target.restart(generation, state.last_seq);
    } else if (end + 1 < state.first_seq) {
      this.#target.restart(generation, state.first_seq - 1);
    }
  }

  /** `opened` is called when nothing is left of what was there before. */
  async #take(messages: ConsumerMessages, over: AbortSignal, opened: () => void): Promise<void> {
    let delivered = 0;
    for await (const message of messages) {
      if (over.aborted) return; // TopicFeed.F1
      const { deliverySequence, streamSequence, pending } = message.info;
      if (deliverySequence !== ++delivered)
        throw new Error(`a message was lost on the way: expected ${delivered}, got ${deliverySequence}`); // TopicFeed.F1
      if (streamSequence > this.#target.log.end + 1) this.#target.restart(this.#target.generation, streamSequence - 1); // TopicFeed.F2
      const { topic, type, body } = readTopicMessage(message, this.#options.subjectPrefix);
      this.#target.publish(streamSequence, topic, type, body);
      if (pending === 0) opened();
    }
  }
}
