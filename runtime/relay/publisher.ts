import type { Randomness } from "../base/randomness.ts";
import type { PublishResult, Sink } from "../ports/sink.ts";
import type { DeadLetter, OutboxRecord } from "../ports/store.ts";
import type { CursorTracker } from "./cursor-tracker.ts";

/** A record on its way to a sink. */
export interface QueuedRecord {
  readonly record: OutboxRecord;
  readonly tracker: CursorTracker;
}

/** What a publisher needs from its relay. */
export interface PublisherHost {
  readonly sink: Sink;
  /** Hands records to the sink. */
  publish(records: readonly OutboxRecord[], attempt: number): Promise<readonly PublishResult[]>;
  readonly randomness: Randomness;
  /** Whether this node may still publish for its partitions: its lease cannot have run out. */
  mayPublish(): boolean;
  /** Whether a record is a dead letter of this sink already. */
  isDeadLetter(record: OutboxRecord): Promise<boolean>;
  /** Keeps dead letters durably. */
  recordDeadLetters(letters: readonly DeadLetter[]): Promise<void>;
  now(): number;
  /** A pause that `stop` cuts short. */
  pause(ms: number): Promise<void>;
  readonly stopped: boolean;
  /** The last try failed, or (`undefined`) the sink takes records again. */
  health(error: unknown): void;
  /** Records have left the publisher: there is room for more. */
  drained(): void;
}

/** Takes entries in order, and acknowledges each at its tracker once the sink has it. */
export interface Publisher {
  readonly pending: number;
  /** How many of them wait for a target that does not take them now. */
  readonly stalled: number;
  enqueue(entries: readonly QueuedRecord[]): void;
  /** Resolves when what is in flight at this moment was answered. */
  underWay(): Promise<void>;
  /** Resolves when nothing is left that could be handed over now, or when the host is stopped. */
  idle(): Promise<void>;
}
