import type { InferInput } from "valibot";
import type { ActorRef } from "./actor-ref.ts";
import type { AnyActorType, Emits } from "./any-actor.ts";
import type { Duration } from "./duration.ts";

/** What a query sees. */
export interface QueryContext<State> {
  readonly key: string;
  /** Do not change it: a query has no commit that could hold the change. */
  readonly state: Readonly<State>;
  /** Whether a turn of this actor was ever committed. */
  readonly exists: boolean;
  /** Milliseconds since the epoch, by the runtime's clock. */
  readonly now: number;
}

/** When a timer fires: after a while, or at a point in time (milliseconds since the epoch). */
export type TimerDue = { readonly in: Duration | number } | { readonly at: number };

/** The durable timers of the actor. All changes take effect with the turn's commit, or not at all. */
export interface Timers {
  /**
   * Sets the timer `name`, replacing one of the same name. When due, the actor gets the command `send` with the input
   * `with`. At least once, never early; a crash only delays it. `{ in: 1500 }` is milliseconds.
   */
  set(name: string, timer: TimerDue & { readonly send: string; readonly with?: unknown }): void;
  /** Removes a timer. Does nothing when there is none. */
  cancel(name: string): void;
}

/** A workflow to start. The id is the once-only key: while a run with it is open, a second start does nothing. */
export interface WorkflowStart {
  readonly type: string;
  readonly id: string;
  readonly taskQueue: string;
  readonly args: readonly unknown[];
  /** Keyword search attributes, as in `{ OrderId: "ord_42" }`. */
  readonly searchAttributes?: Readonly<Record<string, string>>;
  readonly memo?: Readonly<Record<string, unknown>>;
}

/** Starts and signals workflows through the outbox: after the commit, at least once, in order per workflow id. */
export interface Workflows {
  start(start: WorkflowStart): void;
  /** A signal to a workflow that has ended is dropped. */
  signal(signal: { readonly id: string; readonly name: string; readonly args?: readonly unknown[] }): void;
  /** Signals the open run, starting one first where there is none. */
  signalWithStart(
    start: WorkflowStart & { readonly signal: { readonly name: string; readonly args?: readonly unknown[] } },
  ): void;
}

/**
 * What a command sees. Everything done through it belongs to one turn: it is committed as a whole together with the
 * reply, or leaves no trace (a refusal, a throw, a lost lease).
 *
 * @example
 * ```ts
 * actor("hold", {
 *   state: v.object({ by: v.nullable(v.string()) }),
 *   initial: () => ({ by: null }),
 *   emits: { "hold.placed.v1": v.object({ by: v.string() }) },
 *   messages: ({ command }) => ({
 *     place: command({ in: v.string() }, (c, by) => {
 *       c.require(c.state.by === null, "taken", { by: c.state.by });
 *       c.state.by = by;
 *       c.emit("hold.placed.v1", { by });
 *       c.timers.set("expiry", { in: "15m", send: "expire" });
 *     }),
 *     expire: command({}, (c) => void (c.state.by = null)),
 *   }),
 * });
 * ```
 */
export interface TurnContext<State, Events extends Emits> {
  readonly key: string;
  /** The state, to be changed in place or replaced. */
  state: State;
  readonly exists: boolean;
  readonly now: number;
  /** The message id the caller gave, or `undefined`. */
  readonly id: string | undefined;
  /** Which try of this message it is, from 1. More than 1 only for timers and sends whose earlier turn failed. */
  readonly attempt: number;
  /** Aborted when the turn's deadline passes or the node stops. Hand it to I/O. */
  readonly signal: AbortSignal;
  /** Refuses the message unless `condition` holds: the turn leaves no trace and the caller gets a `RefusedError`. */
  require(condition: unknown, reason: string, data?: Readonly<Record<string, unknown>>): void;
  /** Refuses the message. Write `return c.refuse(…)`, so that the compiler sees the end. */
  refuse(reason: string, data?: Readonly<Record<string, unknown>>): never;
  /** Emits an event: published to the sinks after the commit, in order per actor, at least once. */
  emit<Type extends keyof Events & string>(type: Type, data: InferInput<Events[Type]>): void;
  /** Sends a message to another actor: durable, delivered after the commit, in order per pair of actors, once. */
  send<Target extends AnyActorType, Name extends keyof ActorRef<Target> & string>(
    target: Target,
    key: string,
    message: Name,
    ...input: SendInput<ActorRef<Target>[Name]>
  ): void;
  /** Asks another actor and waits for the reply. Not part of this turn's commit: give an `id` if it changes something. */
  ref<Target extends AnyActorType>(target: Target, key: string): ActorRef<Target>;
  readonly timers: Timers;
  readonly workflow: Workflows;
  /** Removes the actor's state with this turn's commit. Its next message meets the initial state. */
  destroy(): void;
}

type SendInput<Call> = Call extends (...args: infer A) => unknown
  ? A extends [infer In, ...unknown[]]
    ? [input: In]
    : []
  : never;
