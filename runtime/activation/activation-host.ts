import type { LeaveReason } from "../actor/life.ts";
import type { Randomness } from "../base/randomness.ts";
import type { LaneRoom } from "../commit/lane-room.ts";
import type { JournalHost } from "../journal/journaled-turn.ts";
import type { Envelope } from "../ports/envelope.ts";
import type { ActorId, LoadedActor, StoredReply } from "../ports/store.ts";
import type { NodeMetrics } from "../telemetry/node-metrics.ts";
import type { FinishedTurn } from "../turn/finished-turn.ts";
import type { TurnHost } from "../turn/turn.ts";
import type { HooksHost } from "./life-hooks.ts";

/** What an activation needs from the store host. */
export interface ActivationHost extends TurnHost, HooksHost, JournalHost {
  /** Where turns are counted that nothing has to be written for. */
  readonly metrics?: NodeMetrics | undefined;
  readonly randomness: Randomness;
  load(actor: ActorId): Promise<LoadedActor>;
  findReply(actor: ActorId, id: string): Promise<StoredReply | undefined>;
  /** How full the commit lane of a partition is. */
  room(partition: number): LaneRoom;
  /** Hands a finished turn to the commit lane of its partition. */
  submit(turn: FinishedTurn): void;
  /** Whether the due time a timer message carries is still the one that counts. */
  timerIsCurrent(actor: ActorId, name: string, dueAt: number): boolean;
  /** Whether this node may answer from memory: its lease cannot have run out. */
  mayServe(): boolean;
  /** Told of a handler that threw, which its caller only sees as `turn_failed`. */
  turnFailed(envelope: Envelope, error: unknown): void;
  /** Takes a quiet actor out of memory. */
  evict(actor: ActorId, reason: LeaveReason): void;
  /** The actor is gone by itself: no message may come to it any more. */
  forget(actor: ActorId): void;
}
