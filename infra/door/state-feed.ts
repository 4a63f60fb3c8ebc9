/**
 * The states of an actor for all who watch it through one door: asked for once, however many they are.
 *
 * Owns: one watch of each actor that somebody reads, its newest state as text. Does not own: what a reader was shown
 * (`watcher.ts`). Calls in: `StateFeeds.read`, `StateReader`. Calls out: `Troupe.watch`.
 *
 * F1 A reader is shown no state that is older than the moment at which it began: where others read already, the actor is asked
 *    anew, and what was known before is not for it.
 * F2 Nothing is kept but the newest state: a reader that takes its time meets that one next.
 */
import type { AnyActorType, WatchedState } from "#runtime";
import { textHash } from "#runtime/internal";
import type { DoorTroupe } from "./options.ts";
import { WatchEvent } from "./watch-event.ts";

/** A state as it is sent. */
export interface FedState {
  /** Version and hash. */
  readonly id: string;
  /** For all who follow nothing else. */
  readonly event: WatchEvent;
}

/** Who reads the states of an actor. */
export interface StateReader {
  /**
   * The next state, the present one first; `undefined` when the node shows no more. Rejects with what ended it. Asked again only
   * after it has answered.
   */
  next(): Promise<FedState | undefined>;
  stop(): void;
}

/** The feeds of a door. */
export class StateFeeds {
  readonly #feeds = new Map<string, Feed>();

  /** @param seen the id of the state that the reader was shown last: it is not shown again. */
  read(node: DoorTroupe, actor: AnyActorType, key: string, seen: string): StateReader {
    const address = `${actor.type}/${key}`;
    let feed = this.#feeds.get(address);
    if (feed === undefined || feed.over) {
      const made: Feed = new Feed(
        (signal) => node.watch(actor, key, { signal }),
        () => {
          if (this.#feeds.get(address) === made) this.#feeds.delete(address);
        },
      );
      this.#feeds.set(address, (feed = made));
    }
    return feed.join(seen);
  }
}

class Feed {
  readonly #watch: (signal: AbortSignal) => AsyncIterable<WatchedState<unknown>>;
  readonly #left: () => void;
  #newest: FedState | undefined;
  /** Which asking the newest state comes from, and which one is under way. */
  #newestOf = 0;
  #asking = 0;
  #asked = false;
  #stop = new AbortController();
  #outcome: { readonly error?: unknown } | undefined;
  #readers = 0;
  #waiting: (() => void)[] = [];

  constructor(watch: (signal: AbortSignal) => AsyncIterable<WatchedState<unknown>>, left: () => void) {
    this.#watch = watch;
    this.#left = left;
  }

  get over(): boolean {
    return this.#outcome !== undefined;
  }

  join(lastSeen: string): StateReader {
    let seen = lastSeen;
    let open = true;
    // Feed.F1: what is under way was asked before.
    const from = this.#asking + 1;
    this.#asked = true;
    if (this.#readers++ === 0) void this.#run();
    else if (this.#newestOf === this.#asking) this.#stop.abort();
    return {
      next: async () => {
        for (;;) {
          if (!open) return undefined;
          const newest = this.#newest;
          if (newest !== undefined && this.#newestOf >= from && newest.id !== seen) {
            seen = newest.id;
            return newest;
          }
          if (this.#outcome !== undefined) {
            if ("error" in this.#outcome) throw this.#outcome.error;
            return undefined;
          }
          await new Promise<void>((resolve) => this.#waiting.push(resolve));
        }
      },
      stop: () => {
        if (!open) return;
        open = false;
        if (--this.#readers === 0) this.#end({});
        else this.#wake();
      },
    };
  }

  async #run(): Promise<void> {
    try {
      while (this.#asked && this.#outcome === undefined) {
        this.#asked = false;
        this.#asking++;
        this.#stop = new AbortController();
        for await (const { state, version, exists } of this.#watch(this.#stop.signal)) {
          const text = JSON.stringify(state);
          const data = `{"version":${version},"exists":${exists},"state":${text}}`;
          const id = `${version}-${textHash(text)}`;
          this.#newest = { id, event: new WatchEvent(id, "state", data) }; // Feed.F2
          this.#newestOf = this.#asking;
          this.#wake();
          if (this.#asked || this.#outcome !== undefined) break;
        }
      }
      this.#end({});
    } catch (error) {
      this.#end({ error });
    }
  }

  #end(outcome: { readonly error?: unknown }): void {
    if (this.#outcome !== undefined) return;
    this.#outcome = outcome;
    this.#stop.abort();
    this.#left();
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const wake of waiting) wake();
  }
}
