import type { Sink } from "./sink.ts";

/**
 * The topics port: what actors broadcast, for those who follow it now, and a bounded history for those who come back.
 * Implemented by `memoryTopics()` here and by `natsTopics()` in `infra/nats`; `runtime/testing/topics-conformance.ts` is
 * run by each.
 *
 * At least once; in order per actor and topic; every follower of a topic, on every node, sees the same messages in the
 * same order under the same ids. A repeat that the relay makes after a crash is dropped where its id is still known.
 */
export interface Topics {
  /** Takes the records of kind `broadcast`: `target` is the topic, `name` the type, `body` the data. */
  readonly sink: Sink;
  /**
   * Follows topics. Resolves when the subscription stands: whatever is committed from now on is not missed.
   *
   * With `after`, the id of a message or a subscription's `position`, everything behind it comes first. Where the
   * history does not reach back so far, a {@link TopicGap} says so before the rest.
   *
   * @throws {InvalidInputError} a name is no topic, there are none or more than 100, or `after` is no id.
   * @throws {TroupeError} `unavailable`: what the history is kept in cannot be reached now.
   */
  subscribe(topics: readonly string[], options?: TopicSubscribeOptions): Promise<TopicSubscription>;
  /** Ends all subscriptions. */
  close(): Promise<void>;
}

/** Options of one subscription. */
export interface TopicSubscribeOptions {
  /** Where to go on from. Default: now. */
  readonly after?: string | undefined;
  /** Ends the subscription. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * One follower of some topics, to be read by one `for await` loop. A slow reader holds up nobody and costs no memory: what
 * it is behind with is read from the history when it asks.
 */
export interface TopicSubscription extends AsyncIterableIterator<TopicItem, undefined> {
  /**
   * Everything of its topics up to here has been taken; the item in hand counts once the next is asked for. To resume,
   * subscribe with it as `after`.
   */
  readonly position: string;
  /** Follows some of its topics no longer. Without any left it ends. */
  unfollow(topics: readonly string[]): void;
  /** Ends it, and the loop that reads it. */
  close(): void;
}

/** What a subscription brings. */
export type TopicItem = TopicMessage | TopicGap;

/** A broadcast. */
export interface TopicMessage {
  readonly kind: "message";
  /** Its place in the history. Opaque. */
  readonly id: string;
  readonly topic: string;
  readonly type: string;
  /** The data as JSON text, as it was committed. */
  readonly body: string;
  /** The data. Parsed anew each time it is asked for. */
  readonly data: unknown;
}

/** Messages may be missing: the history no longer reaches back, or it is another one. From `id` on nothing is missing. */
export interface TopicGap {
  readonly kind: "gap";
  readonly id: string;
  readonly topics: readonly string[];
}
