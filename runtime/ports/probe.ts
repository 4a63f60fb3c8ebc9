import type { Envelope } from "./envelope.ts";
import type { ActorId, StoredReply, TimerWrite } from "./store.ts";

/**
 * Watches a node from inside: what a simulation checks its promises by. Called at once, in the node's own flow; it must
 * not throw.
 */
export interface Probe {
  /** A message was handed to its actor here; `depth` messages wait in the actor's mailbox now. */
  delivered(envelope: Envelope, depth: number): void;
  /** A turn ended well and goes to its commit. */
  finished(turn: ProbedTurn): void;
  /** These turns are written by the commit that its store is asked for next. Called again where they are tried once more. */
  committing?(turns: readonly ProbedTurn[]): void;
}

/** A turn that waits for its commit. */
export interface ProbedTurn {
  readonly activation: { readonly id: ActorId };
  readonly envelope: Envelope;
  /** The state after the turn, as JSON; `undefined` when the actor was destroyed. */
  readonly state: string | undefined;
  readonly version: number;
  /** The state is as it was before the turn, and so is the version: it is no part of the commit. */
  readonly unchanged: boolean;
  readonly reply: StoredReply | undefined;
  readonly effects: readonly { readonly id: string }[] | undefined;
  readonly timers: ReadonlyMap<string, TimerWrite> | undefined;
  /** What the turn took for the time, by its node's clock. */
  readonly at: number;
}
