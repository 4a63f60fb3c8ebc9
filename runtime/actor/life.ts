/** What `onActivate` sees. Nothing can be written through it. */
export interface LifeContext<State> {
  readonly key: string;
  /** A copy: changing it changes nothing. */
  readonly state: Readonly<State>;
  /** Whether a turn of this actor was ever committed. */
  readonly exists: boolean;
  /** Aborted when the time for the hook is over, or the actor leaves this node. Hand it to I/O. */
  readonly signal: AbortSignal;
}

/**
 * Why an actor leaves memory: nobody wrote to it for its `idle` time; memory holds too many actors (`maxActiveActors`);
 * its partition moved to another node; a commit of it failed and it starts anew here; it is loaded anew by hand
 * (`troupe.reload`); this node stops.
 */
export type LeaveReason = "idle" | "memory" | "moved" | "restart" | "reload" | "stop";

/** What `onPassivate` sees. Nothing can be written through it. */
export interface LeaveContext<State> extends LifeContext<State> {
  readonly reason: LeaveReason;
}
