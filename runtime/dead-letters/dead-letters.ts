import type {
  DeadLetter,
  DeadLetterFilter,
  DeadLetterReason,
  DeadLetterSummary,
  StoredDeadLetter,
} from "../ports/store.ts";

/** A page of dead letters, oldest first. `next` is the `after` of the next page; `undefined` at the end. */
export interface DeadLetterPage {
  readonly items: readonly StoredDeadLetter[];
  readonly next: string | undefined;
}

/** What a replay did. A dead letter that failed stays; those of its key behind it were left alone. */
export interface ReplayOutcome {
  /** Ids of dead letters that took effect and are gone. */
  readonly replayed: readonly string[];
  readonly failed: readonly { readonly id: string; readonly detail: string }[];
}

/** What one step of a replay did, and where the next one begins. */
export interface ReplayStep extends ReplayOutcome {
  /** Dead letters that were left alone, as an older one of their key failed. */
  readonly heldUp: number;
  /** Why some dead letters have to be tried again by the next step: this node is stopping, or the store does not answer. */
  readonly interrupted: string | undefined;
  /** The `from` of the next step; `undefined` when all that there was at the first step was gone through. */
  readonly next: string | undefined;
}

/**
 * What will not be tried again by itself: messages that failed as poison, and records that a broker refuses. From any
 * node, over all stores.
 */
export interface DeadLetters {
  /**
   * Dead letters in the order they were recorded: `limit` (default 50, at most 200), after the page that ended with `after`.
   * A dead letter that is recorded or removed meanwhile shifts no page.
   * @throws {TypeError} an `after` that no page gave.
   */
  list(page?: DeadLetterFilter & { readonly limit?: number; readonly after?: string }): Promise<DeadLetterPage>;
  get(id: string): Promise<StoredDeadLetter | undefined>;
  /** How many dead letters there are of each reason, exactly. Cheap, however many there are. */
  counts(): Promise<ReadonlyMap<DeadLetterReason, number>>;
  /** How many dead letters fit, by reason, with the times of the oldest and the newest. Looks at all of them. */
  summary(filter?: DeadLetterFilter): Promise<readonly DeadLetterSummary[]>;
  /**
   * Changes what a replay of the dead letter gives back: `change` is told the data of the event or the input of the message,
   * and returns what is to stand in its place. The record as it failed is kept beside it (`original`), with who changed
   * it and when (`edits`, the last 20).
   *
   * `undefined` when there is no such dead letter.
   * @throws {TypeError} the dead letter holds neither an event nor a message.
   * @throws whatever `change` throws; the dead letter stays as it was.
   */
  edit(
    id: string,
    change: (data: unknown, letter: StoredDeadLetter) => unknown,
    by?: string,
  ): Promise<StoredDeadLetter | undefined>;
  /**
   * Gives a dead letter back to its actor or sink, after the older ones of its key: the order of a key is kept. It stops at
   * the first that fails. A dead letter that takes effect is removed; its message id is that of the first try, so that it
   * takes effect once, however often it is replayed within the store's retention. Over all nodes one alone replays, edits or
   * drops the dead letters of a key at a time.
   *
   * `undefined` when there is no such dead letter.
   */
  replay(id: string): Promise<ReplayOutcome | undefined>;
  /**
   * Replays every dead letter that fits, oldest first, at most `ratePerSecond` (default 10). The dead letters of a key go one after
   * the other, keys side by side; when one fails, those of its key are left alone. Dead letters recorded meanwhile are left for
   * the next run.
   */
  replayAll(
    filter?: DeadLetterFilter,
    options?: { readonly ratePerSecond?: number; readonly signal?: AbortSignal },
  ): Promise<ReplayOutcome>;
  /**
   * One step of such a replay, for a run that outlives its node: at most `limit` dead letters (default 1,000), none begun after
   * `withinMs` (default 5,000). The first step has no `from`; each further one has the `next` of the one before. A step
   * that is repeated, as its outcome was lost, does no harm.
   * @throws {TypeError} a `from` that no step gave.
   */
  replaySome(
    filter: DeadLetterFilter,
    options?: {
      readonly from?: string;
      readonly limit?: number;
      readonly withinMs?: number;
      readonly signal?: AbortSignal;
    },
  ): Promise<ReplayStep>;
  /**
   * Removes a dead letter for good. Returns whether there was one: one that is being replayed right now counts by what comes of
   * that.
   * @throws {TroupeError} `unavailable`: its key is being replayed for too long.
   */
  drop(id: string): Promise<boolean>;
  /**
   * Keeps a dead letter in the store of an actor type, for what failed outside of a turn. One with the same id stays as it is.
   * Its `record` is what a replay gives back: a timer, or a record of the outbox.
   * @throws {TroupeError} `unknown_actor`: no actor type of that name is registered.
   */
  record(type: string, letter: DeadLetter): Promise<void>;
}
