/** Rows of the store port about one actor: its state, replies, journal, timers and pause. */

/** Which actor, as the store keeps it. */
export interface ActorId {
  readonly type: string;
  readonly key: string;
}

/** An actor as it was committed last; `state` is `undefined` for one that was never written, or destroyed. */
export interface LoadedActor {
  readonly state: string | undefined;
  /** Rises by one with each turn that leaves another state; of a journaled actor the number of its events. */
  readonly version: number;
  /** The schema version the state was written with; 1 where none was given. */
  readonly schemaVersion: number;
  /** Message ids that are answered: what was answered is read by `findReplies`, when one of them comes again. */
  readonly replyIds: readonly string[];
  /** Whether `replyIds` are all there are: then an id that is not among them is new. */
  readonly repliesComplete: boolean;
}

/** A committed actor in a listing; `state` is JSON. */
export interface ActorRow {
  readonly key: string;
  readonly state: string;
  readonly version: number;
  /** The schema version the state was written with; 1 where none was given. */
  readonly schemaVersion: number;
}

/** The state of an actor after a turn, as JSON. */
export interface StateWrite extends ActorId {
  readonly partition: number;
  readonly version: number;
  /** `undefined` deletes the actor. */
  readonly state: string | undefined;
  /** For types with schema versions. None: 1 for a new row; an old one stays at 1, as no other is ever read by such a type. */
  readonly schemaVersion?: number | undefined;
}

/** What a reply is stored under. */
export interface ReplyKey extends ActorId {
  /** Of the message. */
  readonly id: string;
}

/** A message to an actor whose turn was begun `count` times, last at `at`, and is not known to have ended. */
export interface BegunMessage extends ReplyKey {
  readonly partition: number;
  readonly count: number;
  readonly at: number;
}

/** The once-only record of a handled message. */
export interface StoredReply {
  readonly id: string;
  /** A hash of message name and input: the same id with another hash is misuse. */
  readonly hash: string;
  /** The reply as JSON; `undefined` for an empty one. */
  readonly reply: string | undefined;
}

/** Replies under ids that begin so are kept until what they answer is acknowledged, however long that takes. */
export const SENT_IDS = ["msg_", "ask_"] as const;

/** One event of a journaled actor, kept for ever. */
export interface JournalRecord extends ActorId {
  readonly partition: number;
  /** Contiguous per actor, from 1. */
  readonly seq: number;
  /** The `seq` of the event's outbox record; 0 for a row that is no event (`$destroyed`). */
  readonly position: number;
  readonly id: string;
  /** The event type, or `$destroyed`. */
  readonly name: string;
  /** The event's data as JSON. */
  readonly data: string;
  readonly at: number;
  readonly traceparent: string | undefined;
}

/** A timer that is set: the command `message` with `input`, as JSON, is due at `dueAt`. */
export interface TimerRow extends ActorId {
  readonly partition: number;
  readonly name: string;
  readonly dueAt: number;
  readonly message: string;
  readonly input: string | undefined;
  /** When it comes again, as JSON; `undefined` for a timer that fires once. */
  readonly schedule?: string | undefined;
  /** What its turn is part of: for a timer that fires once, what the turn was that set it. */
  readonly traceparent?: string | undefined;
}

/** Where a timer stands in the order of due timers. */
export type TimerPlace = Pick<TimerRow, "dueAt" | "type" | "key" | "name">;

/** A timer set, or with `dueAt: undefined` removed. */
export type TimerWrite =
  | TimerRow
  | (ActorId & { readonly partition: number; readonly name: string; readonly dueAt: undefined });

/** Why an actor is paused, and since when (milliseconds since the epoch). */
export interface Pause {
  readonly since: number;
  readonly reason: string;
}

/** An actor that takes no commands, timers or sends until it is resumed. */
export interface PausedActor extends ActorId, Pause {
  readonly partition: number;
}

/** An actor paused, or with `since: undefined` resumed. */
export type PauseWrite = PausedActor | (ActorId & { readonly partition: number; readonly since: undefined });
