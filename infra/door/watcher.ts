/**
 * What one watcher of an actor is sent: its states and the broadcasts of its topics, as one row of events.
 *
 * Owns: both subscriptions, and the place of the watcher in each. Does not own: the connection (`event-stream.ts`).
 * Calls in: `next`, `stop`. Calls out: `Troupe.watch`, `Topics.subscribe`.
 *
 * V1 Nothing is read ahead but one item of each: a reader that takes its time meets the newest state next, and what it is
 *    behind with of the broadcasts stays in their history.
 * V2 A watcher that comes back with the id of its last event is not shown the same state again and misses no broadcast; where
 *    the history does not reach back so far, a `gap` says so.
 */
import type { AnyActorType, TopicItem, TopicSubscription, Troupe, WatchedState } from "#runtime";
import { textHash } from "#runtime/internal";
import { eventId, type Place } from "./event-id.ts";

/** One event for the watcher. */
export interface WatchEvent {
  readonly id: string;
  readonly event: "state" | "broadcast" | "gap";
  /** JSON. */
  readonly data: string;
}

/** What a watcher follows. */
export interface WatchWish {
  readonly actor: AnyActorType;
  readonly key: string;
  readonly states: boolean;
  readonly topics: readonly string[];
  readonly after: Place | undefined;
}

type Taken =
  | { readonly from: "state"; readonly item: WatchedState<unknown> | undefined }
  | { readonly from: "topics"; readonly item: TopicItem | undefined };

export class Watcher {
  readonly #stop: AbortController;
  readonly #states: AsyncIterator<WatchedState<unknown>> | undefined;
  readonly #subscription: TopicSubscription | undefined;
  readonly #pending = new Map<Taken["from"], Promise<Taken>>();
  #place: Place;

  private constructor(troupe: DoorTroupe, wish: WatchWish, stop: AbortController, subscription?: TopicSubscription) {
    this.#stop = stop;
    this.#subscription = subscription;
    const { signal } = stop;
    this.#states = wish.states ? troupe.watch(wish.actor, wish.key, { signal })[Symbol.asyncIterator]() : undefined;
    this.#place = { state: wish.after?.state ?? "", topics: subscription?.position ?? "" };
    this.#ask();
  }

  /** Begins to follow. @throws what `Topics.subscribe` does. */
  static async start(troupe: DoorTroupe, wish: WatchWish): Promise<Watcher> {
    const stop = new AbortController();
    if (wish.topics.length === 0) return new Watcher(troupe, wish, stop);
    const after = wish.after === undefined || wish.after.topics === "" ? undefined : wish.after.topics;
    const subscription = await troupe.topics.subscribe(wish.topics, { after, signal: stop.signal });
    return new Watcher(troupe, wish, stop, subscription);
  }

  /**
   * The next event; `undefined` when one of its rows ended. Rejects with what ended it.
   * Asked again only after it has answered.
   */
  async next(): Promise<WatchEvent | undefined> {
    for (;;) {
      const taken = await Promise.race(this.#pending.values());
      if (taken.item === undefined) return undefined;
      this.#pending.delete(taken.from);
      const event = taken.from === "state" ? this.#stateEvent(taken.item) : this.#topicEvent(taken.item);
      if (event !== undefined) return event;
      this.#ask();
    }
  }

  /** Asks for what comes behind the event that was sent. */
  sent(): void {
    this.#ask();
  }

  /** Ends both subscriptions. */
  stop(): void {
    this.#stop.abort();
    this.#subscription?.close();
  }

  #ask(): void {
    const states = this.#states;
    if (states !== undefined && !this.#pending.has("state")) {
      this.#wait(
        "state",
        states.next().then(({ done, value }) => ({ from: "state", item: done === true ? undefined : value })),
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

  #stateEvent({ state, version, exists }: WatchedState<unknown>): WatchEvent | undefined {
    const text = JSON.stringify(state);
    const seen = `${version}-${textHash(text)}`;
    if (seen === this.#place.state) return undefined; // Watcher.V2
    this.#place = { ...this.#place, state: seen };
    return {
      id: eventId(this.#place),
      event: "state",
      data: `{"version":${version},"exists":${exists},"state":${text}}`,
    };
  }

  #topicEvent(item: TopicItem): WatchEvent {
    this.#place = { ...this.#place, topics: item.id };
    if (item.kind === "gap")
      return { id: eventId(this.#place), event: "gap", data: JSON.stringify({ topics: item.topics }) };
    const { topic, type, body } = item;
    const head = JSON.stringify({ topic, type }).slice(0, -1);
    return { id: eventId(this.#place), event: "broadcast", data: `${head},"data":${body}}` };
  }
}

/** The part of a node that a door needs. */
export type DoorTroupe = Pick<Troupe, "call" | "watch" | "topics" | "tracing">;
