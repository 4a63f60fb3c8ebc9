import { backoffMs } from "../base/backoff.ts";
import type { Clock } from "../base/clock.ts";
import { systemRandomness } from "../base/randomness.ts";
import type { TopicItem, TopicSubscription } from "../ports/topics.ts";
import type { TopicHistory, TopicPage } from "./history.ts";
import type { TopicEntry, TopicLog } from "./log.ts";

/** What a follower needs from its hub. */
export interface FollowerHost {
  readonly clock: Clock;
  readonly log: TopicLog;
  readonly history: TopicHistory | undefined;
  readonly generation: string;
  idOf(seq: number): string;
  forget(follower: Follower, topics: Iterable<string>): void;
  ended(follower: Follower): void;
}

/** Messages at hand for one reader; beyond it the reader is `behind` and they are read again when it asks. */
const MAX_QUEUED = 256;
const MAX_QUEUED_LENGTH = 1_048_576;
/** Messages read from the history at once. */
const PAGE = 256;

/** `live`: messages are queued as they come. `behind`: they are not, everything after `#upTo` is still to be read. */
type Mode = "live" | "behind" | "ended";

/** One subscription: a place in the history, and a short queue while it keeps up. See the invariants of `TopicHub`. */
export class Follower implements TopicSubscription {
  readonly #hub: FollowerHost;
  readonly #topics: Set<string>;
  #mode: Mode = "behind";
  /** Taken by the reader up to here: the message in its hand counts when it asks for the next. */
  #taken = 0;
  #inHand: number | undefined;
  /** Queued or passed over up to here, while `behind`. */
  #upTo = 0;
  #gap = false;
  /** Undefined while empty: ten thousand idle sockets should not hold ten thousand arrays. */
  #queue: TopicEntry[] | undefined;
  #queuedLength = 0;
  #wake: (() => void) | undefined;
  #release: (() => void) | undefined;

  constructor(hub: FollowerHost, topics: Set<string>) {
    this.#hub = hub;
    this.#topics = topics;
  }

  /** Begins behind `after`; with `gap`, at the oldest message there is, and says that something may be missing. */
  start(after: number, gap = false): void {
    this.#taken = after;
    this.#upTo = after;
    this.#gap = gap;
    if (after >= this.#hub.log.end && !gap) this.#mode = "live";
  }

  endWith(signal: AbortSignal): void {
    const end = (): void => this.close();
    signal.addEventListener("abort", end, { once: true });
    this.#release = () => signal.removeEventListener("abort", end);
  }

  get position(): string {
    return this.#hub.idOf(Math.max(this.#taken, this.#passed()));
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<TopicItem, undefined>> {
    this.#taken = Math.max(this.#taken, this.#inHand ?? 0);
    this.#inHand = undefined;
    for (let failures = 0; ;) {
      if (this.#mode === "ended") return { done: true, value: undefined };
      const item = this.#take();
      if (item !== undefined) return { done: false, value: item };
      if (this.#mode === "live") {
        await this.#woken();
        continue;
      }
      try {
        await this.#catchUp();
        failures = 0;
      } catch {
        // The history is away. It will be back, or its owner closes this.
        await this.#woken(backoffMs(++failures, systemRandomness, 100, 2_000));
      }
    }
  }

  async return(): Promise<IteratorResult<TopicItem, undefined>> {
    this.close();
    return { done: true, value: undefined };
  }

  unfollow(topics: readonly string[]): void {
    const gone = topics.filter((topic) => this.#topics.delete(topic));
    this.#hub.forget(this, gone);
    this.#setQueue(this.#queue?.filter((entry) => this.#topics.has(entry.topic)));
    if (this.#topics.size === 0) this.close();
  }

  close(): void {
    if (this.#mode === "ended") return;
    this.#taken = Math.max(this.#taken, this.#passed());
    this.#mode = "ended";
    this.#queue = undefined;
    this.#hub.forget(this, this.#topics);
    this.#hub.ended(this);
    this.#release?.();
    this.#wake?.();
  }

  // --- for the hub ---

  offer(entry: TopicEntry): void {
    if (this.#mode !== "live" || entry.seq <= this.#taken) return;
    const queue = (this.#queue ??= []);
    if (queue.length >= MAX_QUEUED || this.#queuedLength > MAX_QUEUED_LENGTH) {
      this.#upTo = (queue.at(-1) as TopicEntry).seq;
      this.#mode = "behind"; // TopicHub.H1
      return;
    }
    queue.push(entry);
    this.#queuedLength += entry.body.length;
    this.#wake?.();
  }

  restarted(end: number): void {
    if (this.#mode === "ended") return;
    this.#setQueue(undefined);
    this.#gap = true;
    this.#mode = "live";
    this.#inHand = undefined;
    this.#taken = end;
    this.#upTo = end;
    this.#wake?.();
  }

  // --- inside ---

  /** Nothing of its topics is under way to it: then it stands where the hub stands. */
  #passed(): number {
    const idle = this.#mode === "live" && this.#queue === undefined && this.#inHand === undefined;
    return idle ? this.#hub.log.end : 0;
  }

  #take(): TopicItem | undefined {
    if (this.#gap && this.#mode === "live") return this.#takeGap();
    const entry = this.#queue?.[0];
    if (entry === undefined) return undefined;
    if (this.#gap) return this.#takeGap();
    this.#queue?.shift();
    this.#queuedLength -= entry.body.length;
    if (this.#queue?.length === 0) this.#setQueue(undefined);
    this.#inHand = entry.seq;
    return entry;
  }

  #takeGap(): TopicItem {
    this.#gap = false;
    return { kind: "gap", id: this.position, topics: [...this.#topics] };
  }

  async #catchUp(): Promise<void> {
    const { log, history, generation } = this.#hub;
    if (this.#upTo >= log.base) return this.#readLog();
    if (history === undefined) {
      this.#skipTo(log.base);
      return this.#readLog();
    }
    const page = await history.read([...this.#topics], this.#upTo, PAGE);
    if (this.#mode === "behind" && generation === this.#hub.generation) this.#takePage(page);
  }

  #readLog(): void {
    const { entries, upTo } = this.#hub.log.read(this.#topics, this.#upTo, PAGE);
    this.#fill(entries, upTo);
    if (upTo >= this.#hub.log.end) this.#mode = "live"; // TopicHub.H3
  }

  #takePage({ entries, upTo, first }: TopicPage): void {
    if (first > this.#upTo + 1) this.#skipTo(first - 1);
    // Topics may have been unfollowed while the page was on its way.
    const left = entries.filter((entry) => entry.seq > this.#upTo && this.#topics.has(entry.topic));
    this.#fill(left, Math.max(upTo, this.#upTo));
  }

  #fill(entries: TopicEntry[], upTo: number): void {
    this.#upTo = upTo;
    if (entries.length === 0) this.#taken = Math.max(this.#taken, upTo);
    this.#setQueue(entries);
  }

  #skipTo(seq: number): void {
    this.#gap = true; // TopicHub.H4
    this.#taken = seq;
    this.#upTo = seq;
  }

  #setQueue(queue: TopicEntry[] | undefined): void {
    this.#queue = queue === undefined || queue.length === 0 ? undefined : queue;
    this.#queuedLength = this.#queue?.reduce((sum, { body }) => sum + body.length, 0) ?? 0;
  }

  #woken(withinMs?: number): Promise<void> {
    return new Promise((resolve) => {
      const cancel = withinMs === undefined ? undefined : this.#hub.clock.after(withinMs, () => this.#wake?.());
      this.#wake = () => {
        cancel?.();
        this.#wake = undefined;
        resolve();
      };
    });
  }
}
