import type { InferInput } from "valibot";
import type { Duration } from "../base/duration.ts";
import type { RefuseOptions } from "../message/errors.ts";
import type { AnyActorType, AnyWorkerType, Emits } from "./any-actor.ts";
import type { MissedTicks, Recurrence } from "./recurrence.ts";
import type { ActorRef, WorkerRef } from "./ref.ts";

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

/**
 * When a timer fires: after a while, at a point in time (milliseconds since the epoch), by a cron pattern, or again and
 * again after a while. Numbers for `in` and `every` are milliseconds.
 *
 * A cron pattern has five fields, or six with seconds first, and is read in `zone` (IANA name, default `"UTC"`). Where
 * clocks change, a fixed time that does not exist comes right after the gap, one that occurs twice comes once.
 *
 * `missed` says what becomes of ticks that came due while nothing could handle them: `once` (default): one turn for all
 * of them, with the due time of the first; `all`: one turn each, in order, the first 1,000, the rest is skipped with an
 * error in the log; `skip`: none, on to the next tick (up to a minute late is not missed, unless the next is due too).
 */
export type TimerDue = { readonly in: Duration | number } | { readonly at: number } | Recurrence;

/** A timer to set: when it is due, and the command and input the actor then gets. */
export type SetTimer = TimerDue & { readonly send: string; readonly with?: unknown };

/** A timer that is set. */
export interface TimerView {
  readonly name: string;
  /** When it fires next, in milliseconds since the epoch. In the past when it is being handled, or was held up. */
  readonly dueAt: number;
  readonly send: string;
  readonly with?: unknown;
  readonly cron?: string;
  readonly zone?: string;
  /** Milliseconds. */
  readonly every?: number;
  readonly missed?: MissedTicks;
}

/** The durable timers of the actor. All changes take effect with the turn's commit, or not at all. */
export interface Timers {
  /**
   * Sets the timer `name`, replacing one of the same name. When due, the actor gets the command `send` with the input
   * `with`, and sees the due time as `c.dueAt`. At least once, never early; a crash only delays it. The next tick of a
   * recurring timer is set by the commit of the turn that handled this one.
   *
   * A tick whose turn fails `poison.after` times becomes a dead letter; the schedule goes on with the next tick.
   *
   * @throws {TypeError} a name that is not 1 to 200 printable characters, a pattern, zone, duration or policy that cannot be, a schedule that never ticks, or other than
   * one of `in`, `at`, `cron` and `every`.
   *
   * @example
   * ```ts
   * c.timers.set("report", { cron: "0 9 * * 1-5", zone: "Europe/Berlin", missed: "skip", send: "sendReport" });
   * c.timers.set("poll", { every: "15m", send: "poll", with: { page: 1 } });
   * ```
   */
  set(name: string, timer: SetTimer): void;
  /** Removes a timer. Does nothing when there is none. */
  cancel(name: string): void;
  /** The timer of a name, this turn's changes included. Asks the store, so await it. */
  get(name: string): Promise<TimerView | undefined>;
  /** All timers of the actor in order of their name, this turn's changes included. Asks the store, so await it. */
  list(): Promise<readonly TimerView[]>;
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

/** All sockets of an actor. Told after the commit, in order; whoever is connected to any process hears it. */
export interface ActorSockets {
  /** Sends to all who are connected, but the socket `except`. */
  broadcast(data: unknown, options?: { readonly except?: string }): void;
  /** Sends to one socket by its id. Does nothing where it is closed. */
  send(socket: string, data: unknown): void;
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
  /** The trace (W3C) of the call that this turn belongs to. */
  readonly traceparent: string | undefined;
  /** Which try of this message it is, from 1. More than 1 only for timers and sends whose earlier turn failed. */
  readonly attempt: number;
  /** In a turn that a timer brought: when it was due, in milliseconds since the epoch. The same in every try. */
  readonly dueAt: number | undefined;
  /**
   * Aborted when nobody needs the turn any more: its caller's deadline passed or its caller gave it up (calls), its node
   * stops and the time for draining is over, or its commit can no longer happen. `signal.reason` is the `TroupeError`.
   * Hand it to I/O. A turn that goes on all the same, and ends while its commit is still possible, is committed.
   */
  readonly signal: AbortSignal;
  /**
   * Until when the caller waits, in milliseconds since the epoch by this node's clock; `undefined` for timers and sends,
   * which are waited for without end. Calls made through `ref` wait no longer than this.
   */
  readonly deadline: number | undefined;
  /** Refuses the message unless `condition` holds: the turn leaves no trace and the caller gets a `RefusedError`. */
  require(condition: unknown, reason: string, data?: Readonly<Record<string, unknown>>): void;
  /**
   * Refuses the message. Write `return c.refuse(…)`, so that the compiler sees the end. A repeat of the same id gets the same
   * answer, unless `again` says that it is to be handled anew.
   */
  refuse(reason: string, data?: Readonly<Record<string, unknown>>, options?: RefuseOptions): never;
  /** Emits an event: published to the sinks after the commit, in order per actor, at least once. */
  emit<Type extends keyof Events & string>(type: Type, data: InferInput<Events[Type]>): void;
  /**
   * Tells those who follow `topic` now, on every node: after the commit, at least once, in order per actor and topic.
   * Kept for a while for followers that come back; not an event: no broker gets it. `topic` as in `orders/ord_42`.
   * @throws {InvalidInputError} `topic` or `type` is no name. @throws {TroupeError} `event_too_large`: over 64 K characters.
   */
  broadcast(topic: string, type: string, data: unknown): void;
  /**
   * Hands `data` to the sinks of kind `routed`, each of which takes what is addressed to it: after the commit, at least
   * once, in order per actor and `target`. For places that are known only at run time; what an actor always tells is an
   * event. `type` is what a dead letter of it is listed under.
   * @throws {TroupeError} `event_too_large`, as for events.
   */
  publish(routed: { readonly type: string; readonly target: string; readonly data: unknown }): void;
  /** Sends a message to another actor: durable, delivered after the commit, in order per pair of actors, once. */
  send<Target extends AnyActorType, Name extends keyof ActorRef<Target> & string>(
    target: Target,
    key: string,
    message: Name,
    ...input: SendInput<ActorRef<Target>[Name]>
  ): void;
  /** Asks another actor and waits for the reply. Not part of this turn's commit: give an `id` if it changes something. */
  ref<Target extends AnyActorType>(target: Target, key: string): ActorRef<Target>;
  /** Asks a stateless worker and waits for the reply. It may run again when this turn does. */
  ref<Target extends AnyWorkerType>(target: Target): WorkerRef<Target>;
  readonly timers: Timers;
  /** Those who are connected to this actor, for types that declare `sockets`. */
  readonly sockets: ActorSockets;
  readonly workflow: Workflows;
  /** Removes the actor's state with this turn's commit. Its next message meets the initial state. Its timers stay. */
  destroy(): void;
}

type SendInput<Call> = Call extends (...args: infer A) => unknown
  ? A extends [infer In, ...unknown[]]
    ? [input: In]
    : []
  : never;
