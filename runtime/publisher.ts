import type { CursorTracker } from "./cursor-tracker.ts";
import type { Sink } from "./ports/sink.ts";
import type { DeadLetter, OutboxRecord } from "./ports/store.ts";

/** A record on its way to a sink. */
export interface Parcel {
  readonly record: OutboxRecord;
  readonly tracker: CursorTracker;
}

/** What a publisher needs from its relay. */
export interface PublisherHost {
  readonly sink: Sink;
  /** Whether this node may still publish for its partitions: its lease cannot have run out. */
  mayPublish(): boolean;
  /** Keeps dead letters durably. */
  bury(letters: readonly DeadLetter[]): Promise<void>;
  now(): number;
  /** A pause that `stop` cuts short. */
  pause(ms: number): Promise<void>;
  readonly stopped: boolean;
  /** The last try failed, or (`undefined`) the sink takes records again. */
  health(error: unknown): void;
  /** Parcels have left the publisher: there is room for more. */
  drained(): void;
}

/** Takes parcels in order, and acknowledges each at its tracker once the sink has it. */
export interface Publisher {
  readonly pending: number;
  enqueue(parcels: readonly Parcel[]): void;
  /** Resolves when what is in flight at this moment was answered. */
  underWay(): Promise<void>;
  /** Resolves when nothing is queued or in flight, or when the host is stopped. */
  idle(): Promise<void>;
}

/** The dead letter of a record its sink will never take. */
export function deadLetter(
  sink: string,
  record: OutboxRecord,
  detail: string,
  attempts: number,
  at: number,
): DeadLetter {
  return {
    id: `${sink}:${record.id}`,
    reason: record.kind === "send" ? "poison" : "broker",
    detail,
    target: record.kind === "send" ? record.target : sink,
    attempts,
    record: JSON.stringify(record),
    at,
  };
}
