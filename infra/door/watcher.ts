/**
 * What one watcher of an actor is sent: its states and the broadcasts of its topics, as one row of events.
 *
 * Owns: its reader of states and its subscription, and the place of the watcher in each. Does not own: the connection (`event-stream.ts`).
 * Calls in: `next`, `stop`. Calls out: `StateFeeds.read`, `Topics.subscribe`.
 *
 * V1 Nothing is read ahead but one item of each: a reader that takes its time meets the newest state next, and what it is
 *    behind with of the broadcasts stays in their history.
 * V2 A watcher that comes back with the id of its last event is not shown the same state again and misses no broadcast; where
 *    the history does not reach back so far, a `gap` says so.
 */
import type { AnyActorType, TopicItem, TopicSubscription } from "#runtime";
import { eventId, type Place } from "./event-id.ts";
import type { DoorTroupe } from "./options.ts";
import type { FedState, StateFeeds, StateReader } from "./state-feed.ts";
import { WatchEvent } from "./watch-event.ts";

/** What a watcher follows. */
export interface WatchWish {
  readonly actor: AnyActorType;
  readonly key: string;
  readonly states: boolean;
  readonly topics: readonly string[];
  readonly after: Place | undefined;
}

type Taken =
  | { readonly from: "state"; readonly item: FedState | undefined }
  | { readonly from: "topics"; readonly item: TopicItem | undefined };

export class Watcher {
  readonly #stop: AbortController;
  readonly #states: StateReader | undefined;
  readonly #subscription: TopicSubscription | undefined;
  readonly #pending = new Map<Taken["from"], Promise<Taken>>();
  #place: Place;

  private constructor(
    wish: WatchWish,
    stop: AbortController,
    states: StateReader | undefined,
    subscription?: TopicSubscription,
  ) {
    this.#stop = stop;
    this.#subscription = subscription;
    this.#states = states;
    this.#place = { state: wish.after?.state ?? "", topics: subscription?.position ?? "" }; // Watcher.V2
    this.#ask();
  }

  /** Begins to follow. @throws what `Topics.subscribe` does. */
  static async start(troupe: DoorTroupe, feeds: StateFeeds, wish: WatchWish): Promise<Watcher> {
    const stop = new AbortController();
    const { actor, key, states, topics, after: place } = wish;
    const after = place === undefined || place.topics === "" ? undefined : place.topics;
    const subscription =
      topics.length === 0 ? undefined : await troupe.topics.subscribe(topics, { after, signal: stop.signal });
    const reader = states ? feeds.read(troupe, actor, key, place?.state ?? "") : undefined;
    return new Watcher(wish, stop, reader, subscription);
  }

  /**
   * The next event; `undefined` when one of its rows ended. Rejects with what ended it.
   * Asked again only after it has answered.
   */
  async next(): Promise<WatchEvent | undefined> {
    const pending = this.#pending.values();
    // Most follow states alone: there is nothing to race.
    const taken = await (this.#pending.size === 1 ? pending.next().value : Promise.race(pending));
    if (taken === undefined) return undefined;
    if (taken.item === undefined) return undefined;
    this.#pending.delete(taken.from);
    return taken.from === "state" ? this.#stateEvent(taken.item) : this.#topicEvent(taken.item);
  }

  /** Asks for what comes behind the event that was sent. */
  sent(): void {
    this.#ask();
  }

  /** Ends both subscriptions. */
  stop(): void {
    this.#stop.abort();
    this.#states?.stop();
    this.#subscription?.close();
  }

  #ask(): void {
    const states = this.#states;
    if (states !== undefined && !this.#pending.has("state")) {
      this.#wait(
        "state",
        states.next().then((item) => ({ from: "state", item })),
      );
    }
    const subscription = this.#subscription;
    if (subscription !== undefined && !this.#pending.has("topics")) {
      this.#wait(
        "topics",
        subscription.next().then(({ value }) => ({ from: "topics", item: value })),
      );
    }
  }

  #wait(from: Taken["from"], taken: Promise<Taken>): void {
    this.#pending.set(from, taken);
    taken.catch(() => undefined); // `next` hears of it; nobody may be in `next` right now
  }

  #stateEvent({ id, event }: FedState): WatchEvent {
    this.#place = { ...this.#place, state: id };
    // Without topics it is the same for all who watch: written once.
    return this.#place.topics === "" ? event : new WatchEvent(eventId(this.#place), "state", event.data);
  }

  #topicEvent(item: TopicItem): WatchEvent {
    this.#place = { ...this.#place, topics: item.id };
    if (item.kind === "gap")
      return new WatchEvent(eventId(this.#place), "gap", JSON.stringify({ topics: item.topics }));
    const { topic, type, body } = item;
    const head = JSON.stringify({ topic, type }).slice(0, -1);
    return new WatchEvent(eventId(this.#place), "broadcast", `${head},"data":${body}}`);
  }
}
