import type { Clock } from "./clock.ts";
import type { Envelope } from "./envelope.ts";
import type { DeadLetter, DeadLetterReason, Store, StoredDeadLetter } from "./ports/store.ts";
import { replayLetter } from "./replay.ts";

/** A page of dead letters, oldest first. `next` is the `after` of the next page; `undefined` at the end. */
export interface DeadLetterPage {
  readonly items: readonly StoredDeadLetter[];
  readonly next: string | undefined;
}

/** What a replay did. A letter that failed stays; those of its key behind it were left alone. */
export interface ReplayOutcome {
  /** Ids of letters that took effect and are gone. */
  readonly replayed: readonly string[];
  readonly failed: readonly { readonly id: string; readonly detail: string }[];
}

/**
 * What will not be tried again by itself: messages that failed as poison, and records that a broker refuses. From any
 * node, over all stores.
 */
export interface DeadLetters {
  /**
   * Letters in the order they were recorded: `limit` (default 50, at most 200), after the page that ended with `after`.
   * @throws {TypeError} an `after` that no page gave.
   */
  list(page?: {
    readonly reason?: DeadLetterReason;
    readonly type?: string;
    readonly limit?: number;
    readonly after?: string;
  }): Promise<DeadLetterPage>;
  get(id: string): Promise<StoredDeadLetter | undefined>;
  /**
   * Gives a letter back to its actor or sink, after the older ones of its key: the order of a key is kept. It stops at
   * the first that fails. A letter that takes effect is removed; its message id is that of the first try, so that it
   * takes effect once, however often it is replayed within the store's retention.
   *
   * `undefined` when there is no such letter.
   */
  replay(id: string): Promise<ReplayOutcome | undefined>;
  /**
   * Replays every letter that fits, oldest first, one at a time and at most `ratePerSecond` (default 10). When one fails,
   * those of its key are left alone. Letters recorded meanwhile are left for the next run.
   */
  replayAll(
    filter?: { readonly reason?: DeadLetterReason; readonly type?: string },
    options?: { readonly ratePerSecond?: number; readonly signal?: AbortSignal },
  ): Promise<ReplayOutcome>;
  /** Removes a letter for good. Returns whether there was one. */
  drop(id: string): Promise<boolean>;
  /**
   * Keeps a letter in the store of an actor type, for what failed outside of a turn. One with the same id stays as it is.
   * Its `record` is what a replay gives back: a timer, or a record of the outbox.
   * @throws {TroupeError} `unknown_actor`: no actor type of that name is registered.
   */
  record(type: string, letter: DeadLetter): Promise<void>;
}

/** What dead letters need from their node. */
export interface DeadLetterHost {
  readonly clock: Clock;
  stores(): readonly Store[];
  storeOf(type: string): Store;
  route(envelope: Envelope): Promise<string | undefined>;
}

const MAX_PAGE = 200;

interface Found {
  readonly store: Store;
  readonly letter: StoredDeadLetter;
}

export class StoredDeadLetters implements DeadLetters {
  readonly #host: DeadLetterHost;
  /** Replays under way here, by store and key: one at a time. */
  readonly #running = new Map<string, Promise<unknown>>();

  constructor(host: DeadLetterHost) {
    this.#host = host;
  }

  async list(
    page: {
      readonly reason?: DeadLetterReason;
      readonly type?: string;
      readonly limit?: number;
      readonly after?: string;
    } = {},
  ): Promise<DeadLetterPage> {
    const limit = Math.max(1, Math.min(page.limit ?? 50, MAX_PAGE));
    const stores = this.#host.stores();
    let { index, position } = readCursor(page.after, stores.length);
    const items: StoredDeadLetter[] = [];
    // Store by store: positions of different stores say nothing about each other.
    for (; index < stores.length && items.length < limit; index++, position = 0) {
      const wanted = limit - items.length;
      const rows = await (stores[index] as Store).deadLetters(page, { limit: wanted, after: position });
      items.push(...rows);
      const last = rows.at(-1);
      if (rows.length === wanted && last !== undefined) return { items, next: `${index}.${last.position}` };
    }
    return { items, next: undefined };
  }

  async get(id: string): Promise<StoredDeadLetter | undefined> {
    return (await this.#find(id))?.letter;
  }

  async replay(id: string): Promise<ReplayOutcome | undefined> {
    const found = await this.#find(id);
    if (found === undefined) return undefined;
    const { store, letter } = found;
    return this.#alone(store, letter.key, () => this.#replayUpTo(store, letter));
  }

  async replayAll(
    filter: { readonly reason?: DeadLetterReason; readonly type?: string } = {},
    { ratePerSecond = 10, signal }: { readonly ratePerSecond?: number; readonly signal?: AbortSignal } = {},
  ): Promise<ReplayOutcome> {
    if (!(ratePerSecond > 0))
      throw new RangeError(`Cannot replay ${ratePerSecond} letters per second: expected more than 0`);
    const outcome = { replayed: [] as string[], failed: [] as { id: string; detail: string }[] };
    // What is recorded meanwhile, perhaps because of this very replay, belongs to the next run.
    const startedAt = this.#host.clock.now();
    for (const store of this.#host.stores()) {
      const stuck = new Set<string>();
      let rows: readonly StoredDeadLetter[] = [];
      for (let after = 0; ; after = rows.at(-1)?.position ?? after) {
        rows = await store.deadLetters(filter, { limit: MAX_PAGE, after });
        for (const letter of rows) {
          if (signal?.aborted) return outcome;
          if (stuck.has(letter.key) || letter.at > startedAt) continue;
          const begun = this.#host.clock.monotonic();
          const detail = await this.#alone(store, letter.key, () => this.#replayOne(store, letter));
          if (detail === undefined) {
            outcome.replayed.push(letter.id);
          } else {
            outcome.failed.push({ id: letter.id, detail });
            stuck.add(letter.key);
          }
          await this.#pause(begun + 1_000 / ratePerSecond - this.#host.clock.monotonic(), signal);
        }
        if (rows.length < MAX_PAGE) break;
      }
    }
    return outcome;
  }

  async drop(id: string): Promise<boolean> {
    for (const store of this.#host.stores()) if (await store.removeDeadLetter(id)) return true;
    return false;
  }

  async record(type: string, letter: DeadLetter): Promise<void> {
    await this.#host.storeOf(type).recordDeadLetters([letter]);
  }

  async #replayUpTo(store: Store, letter: StoredDeadLetter): Promise<ReplayOutcome> {
    const replayed: string[] = [];
    for (let after = 0; after < letter.position;) {
      const rows = await store.deadLetters({ key: letter.key }, { limit: MAX_PAGE, after });
      if (rows.length === 0) break;
      for (const row of rows) {
        after = row.position;
        if (after > letter.position) break;
        const detail = await this.#replayOne(store, row);
        if (detail !== undefined) return { replayed, failed: [{ id: row.id, detail }] };
        replayed.push(row.id);
      }
    }
    return { replayed, failed: [] };
  }

  /** Why it failed, or `undefined`. The letter goes only after it took effect: a crash between repeats it, once-only. */
  async #replayOne(store: Store, letter: StoredDeadLetter): Promise<string | undefined> {
    try {
      await replayLetter(letter, (envelope) => this.#host.route(envelope));
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
    await store.removeDeadLetter(letter.id);
    return undefined;
  }

  async #find(id: string): Promise<Found | undefined> {
    for (const store of this.#host.stores()) {
      const letter = await store.deadLetter(id);
      if (letter !== undefined) return { store, letter };
    }
    return undefined;
  }

  /** One replay of a key at a time. */
  async #alone<T>(store: Store, key: string, work: () => Promise<T>): Promise<T> {
    const id = `${store.name} ${key}`;
    for (let before = this.#running.get(id); before !== undefined; before = this.#running.get(id)) await before;
    const running = work();
    const settled = running.then(
      () => undefined,
      () => undefined,
    );
    this.#running.set(id, settled);
    try {
      return await running;
    } finally {
      this.#running.delete(id);
    }
  }

  #pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
    if (ms <= 0 || signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        signal?.removeEventListener("abort", done);
        resolve();
      };
      const cancel = this.#host.clock.after(ms, done);
      signal?.addEventListener("abort", done);
    });
  }
}

function readCursor(after: string | undefined, stores: number): { index: number; position: number } {
  if (after === undefined) return { index: 0, position: 0 };
  const match = /^(\d{1,4})\.(\d{1,15})$/.exec(after);
  if (match === null || Number(match[1]) >= stores)
    throw new TypeError(`Cannot go on after "${after}": no page gave it`);
  return { index: Number(match[1]), position: Number(match[2]) };
}
