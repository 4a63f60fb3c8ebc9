/**
 * The part of the store port that keeps dead letters. `runtime/testing/dead-letter-conformance.ts` is run by each store.
 */
export interface DeadLetterStore {
  /** Dead letters in the order they were recorded, after position `after` (from 0), `limit` at most. */
  deadLetters(filter: DeadLetterFilter, page: DeadLetterWindow): Promise<readonly StoredDeadLetter[]>;
  deadLetter(id: string): Promise<StoredDeadLetter | undefined>;
  /** The position of the dead letter that was recorded last; 0 where there is none. */
  lastDeadLetter(): Promise<number>;
  /** Which of these keys have a dead letter that fits, at position `upTo` or before. */
  keysWithDeadLetters(filter: DeadLetterFilter, keys: readonly string[], upTo: number): Promise<readonly string[]>;
  /** How many dead letters there are of each reason, exactly. Costs the same however many there are. */
  countDeadLetters(): Promise<readonly DeadLetterCount[]>;
  /** What fits, by reason. Looks at every dead letter that does. */
  summarizeDeadLetters(filter: DeadLetterFilter): Promise<readonly DeadLetterSummary[]>;
  /**
   * Changes what a dead letter holds, if its record is still `was`. Returns whether it was.
   */
  amendDeadLetter(id: string, was: string, change: Required<DeadLetterChange>): Promise<boolean>;
  /**
   * Claims keys for `owner` until `forMs` from now, by the clock that all processes of the store share: those that nobody else
   * has, or whose claim has run out. Its own are renewed. Returns the keys it has.
   */
  claimDeadLetterKeys(keys: readonly string[], owner: string, forMs: number): Promise<readonly string[]>;
  /** Gives up those of the keys that are the owner's. */
  releaseDeadLetterKeys(keys: readonly string[], owner: string): Promise<void>;
  /** Deletes dead letters, all or none. Returns how many there were. */
  removeDeadLetters(ids: readonly string[]): Promise<number>;
}

/** Why something will not be tried again by itself. */
export type DeadLetterReason = "broker" | "poison" | "schema" | "route" | "receiver";

/** Something that will not be tried again by itself, with what is needed to understand and repeat it. */
export interface DeadLetter {
  readonly id: string;
  readonly reason: DeadLetterReason;
  readonly detail: string;
  /** Where it was going: a sink's name, or an actor's address. */
  readonly target: string;
  readonly attempts: number;
  /** What it was, as JSON. */
  readonly record: string;
  readonly at: number;
  /** What it is about: an event type, or the type of the actor that a message was for. */
  readonly type?: string | undefined;
  /** What its order is kept by when it is replayed. Default: `target`. */
  readonly key?: string | undefined;
}

/** A dead letter with its place: dead letters recorded later have a higher one. */
export interface StoredDeadLetter extends DeadLetter, DeadLetterChange {
  readonly position: number;
  readonly key: string;
}

/** What changes when somebody edits a dead letter. */
export interface DeadLetterChange {
  /** What a replay gives back. */
  readonly record: string;
  /** The record as it failed; `undefined` for a dead letter that nobody edited. */
  readonly original?: string | undefined;
  /** Who edited it and when, the oldest first; `undefined` for a dead letter that nobody edited. */
  readonly edits?: readonly DeadLetterEdit[] | undefined;
}

/** One edit of a dead letter. */
export interface DeadLetterEdit {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Whoever did it, as the caller says. */
  readonly by?: string | undefined;
}

/** Dead letters that fit every part given. */
export interface DeadLetterFilter {
  readonly reason?: DeadLetterReason | undefined;
  readonly type?: string | undefined;
  readonly key?: string | undefined;
  /** Recorded at this time or later, in milliseconds since the epoch. */
  readonly from?: number | undefined;
  /** Recorded before this time. */
  readonly before?: number | undefined;
}

/** A part of the dead letters, by their positions. */
export interface DeadLetterWindow {
  readonly limit: number;
  readonly after: number;
  /** The last position that is wanted. Default: the last there is. */
  readonly upTo?: number | undefined;
}

/** Dead letters of one reason. */
export interface DeadLetterCount {
  readonly reason: DeadLetterReason;
  readonly count: number;
}

/** Dead letters of one reason, with the times of the oldest and the newest. */
export interface DeadLetterSummary extends DeadLetterCount {
  readonly oldest: number;
  readonly newest: number;
}
