/**
 * Hands the messages of one history to those who follow its topics in this process.
 *
 * Owns: the newest part of the history, who follows what. Does not own: where messages come from (`publish` is called in
 * the order of the history), the older part (`TopicHistory`).
 * Calls in: `publish`, `restart`, `subscribe`, `close`. Calls out: `TopicHistory`.
 *
 * H1 `publish` waits for nobody: a follower that is not ready is `behind`, and reads what it missed when it is.
 * H2 a follower takes each message of its topics once, in the order of the history, from its start on.
 * H3 it goes from `behind` to `live` only in one step with a look at the log that found nothing more: no message can come
 *    between the two.
 * H4 where something may be missing, it is told so before what comes after.
 */
import type { Clock } from "../base/clock.ts";
import { MAX_TOPICS } from "../base/limits.ts";
import { InvalidInputError, TroupeError } from "../message/errors.ts";
import type { TopicSubscribeOptions, TopicSubscription } from "../ports/topics.ts";
import { Follower, type FollowerHost } from "./follower.ts";
import type { TopicHistory } from "./history.ts";
import { formatTopicId, parseTopicId } from "./id.ts";
import { TopicEntry, type TopicLimits, TopicLog } from "./log.ts";
import { checkTopic } from "./name.ts";

export interface TopicHubOptions {
  readonly clock: Clock;
  readonly limits: TopicLimits;
  /** None: what is not in memory is gone. */
  readonly history?: TopicHistory;
}

export class TopicHub implements FollowerHost {
  readonly clock: Clock;
  readonly log: TopicLog;
  readonly history: TopicHistory | undefined;
  readonly #followers = new Map<string, Set<Follower>>();
  readonly #all = new Set<Follower>();
  #generation = "0";
  #closed = false;

  constructor({ clock, limits, history }: TopicHubOptions) {
    this.clock = clock;
    this.log = new TopicLog(clock, limits);
    this.history = history;
  }

  get generation(): string {
    return this.#generation;
  }

  /** The next message of the history. One that was seen before is passed over. */
  publish(seq: number, topic: string, type: string, body: string): void {
    if (seq <= this.log.end) return;
    const entry = new TopicEntry(this.#generation, seq, topic, type, body);
    this.log.append(entry);
    const followers = this.#followers.get(topic);
    if (followers !== undefined) for (const follower of followers) follower.offer(entry); // TopicHub.H1
  }

  /** What follows is another history, or goes on at another place in it; its first message is behind `end`. */
  restart(generation: string, end: number): void {
    this.#generation = generation;
    this.log.reset(end);
    for (const follower of this.#all) follower.restarted(end); // TopicHub.H4
  }

  /** @see Topics.subscribe */
  async subscribe(topics: readonly string[], options: TopicSubscribeOptions = {}): Promise<TopicSubscription> {
    const wanted = new Set(topics);
    if (wanted.size === 0 || wanted.size > MAX_TOPICS) throw wrongCount(wanted.size);
    for (const topic of wanted) checkTopic(topic);
    const after = options.after === undefined ? undefined : parseTopicId(options.after);
    options.signal?.throwIfAborted();
    // This node may be behind the one the client comes from, so only the history itself knows whether it has the place.
    const known =
      after !== undefined && after.generation === this.#generation && after.seq > this.log.end
        ? await this.history?.lastSeq()
        : undefined;
    if (this.#closed) throw new TroupeError("stopping", "Cannot subscribe as the topics are closed");
    options.signal?.throwIfAborted();
    const follower = new Follower(this, wanted);
    if (after === undefined) follower.start(this.log.end);
    else if (after.generation === this.#generation && after.seq <= Math.max(this.log.end, known ?? 0))
      follower.start(after.seq);
    else follower.start(0, true); // TopicHub.H4
    this.#add(follower, wanted);
    if (options.signal !== undefined) follower.endWith(options.signal);
    return follower;
  }

  close(): void {
    this.#closed = true;
    for (const follower of [...this.#all]) follower.close();
  }

  // --- FollowerHost ---

  idOf(seq: number): string {
    return formatTopicId(this.#generation, seq);
  }

  forget(follower: Follower, topics: Iterable<string>): void {
    for (const topic of topics) {
      const followers = this.#followers.get(topic);
      followers?.delete(follower);
      if (followers?.size === 0) this.#followers.delete(topic);
    }
  }

  ended(follower: Follower): void {
    this.#all.delete(follower);
  }

  #add(follower: Follower, topics: Iterable<string>): void {
    this.#all.add(follower);
    for (const topic of topics) {
      const followers = this.#followers.get(topic);
      if (followers === undefined) this.#followers.set(topic, new Set([follower]));
      else followers.add(follower);
    }
  }
}

function wrongCount(count: number): InvalidInputError {
  return new InvalidInputError("a subscription", [
    { path: "/topics", message: "Invalid topics", expected: `1 to ${MAX_TOPICS} topics`, received: `${count} topics` },
  ]);
}
