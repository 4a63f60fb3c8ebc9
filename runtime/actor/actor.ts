import type { GenericSchema, InferInput, InferOutput } from "valibot";
import type { Duration } from "../base/duration.ts";
import { MAX_FIELD_LENGTH } from "../base/limits.ts";
import type { AnyApply, Emits, JournalOptions, Schema } from "./any-actor.ts";
import type { QueryContext, TurnContext } from "./context.ts";
import type { IndexableField } from "./indexable.ts";
import type { Apply, JournaledTurnContext } from "./journal-options.ts";
import { checkStateSchema } from "./json-schema-check.ts";
import type { LeaveContext, LifeContext } from "./life.ts";
import { checkSchemaVersion, type Migration } from "./migration.ts";
import type { PoisonOptions } from "./poison-options.ts";
import { REBUILD, rebuildCommand } from "./rebuild-command.ts";
import { checkRestartPolicy, type RestartPolicy } from "./restart-policy.ts";
import { socketCommands } from "./socket-commands.ts";
import { declareSockets, type DeclareSockets, type SocketsDefinition } from "./sockets.ts";
import type { Subscription } from "./subscription.ts";
import { checkMessageNames, checkTypeName } from "./type-names.ts";

/** A message that may change the actor. Made by {@link Declare.command}. */
export interface CommandDefinition<State, Events extends Emits, In, Out, Reason extends string = string> {
  readonly kind: "command";
  readonly in: Schema | undefined;
  readonly out: Schema | undefined;
  /** Why it may be refused; `undefined` where it does not say. */
  readonly refuses?: readonly Reason[] | undefined;
  // A method, not a property: method parameters are bivariant, which lets a handler that names fewer events fit.
  handle(c: TurnContext<State, Events>, input: In): Out | Promise<Out>;
}

/** A message that only reads. Runs beside turns, never waits in the mailbox, never writes. Made by {@link Declare.query}. */
export interface QueryDefinition<State, In, Out> {
  readonly kind: "query";
  readonly in: Schema | undefined;
  readonly out: Schema | undefined;
  handle(c: QueryContext<State>, input: In): Out;
}

/** Either kind of message, with its types erased. */
export type MessageDefinition<State, Events extends Emits> =
  | CommandDefinition<State, Events, never, unknown>
  | QueryDefinition<State, never, unknown>;

export type Messages<State, Events extends Emits> = Readonly<Record<string, MessageDefinition<State, Events>>>;

/** What a handler is given by a schema of its input. */
export type InOf<S> = S extends Schema ? InferOutput<S> : void;
/** What a handler gives back by a schema of its reply. */
export type ReplyOf<S> = S extends Schema ? InferInput<S> : void;

/** A turn's context that takes no reason for a refusal but those the command lists. */
export type Refusing<Context, Reason extends string> = string extends Reason
  ? Context
  : Omit<Context, "require" | "refuse"> & {
      require(condition: unknown, reason: Reason, data?: Readonly<Record<string, unknown>>): void;
      refuse(reason: Reason, data?: Readonly<Record<string, unknown>>): never;
    };

/** Declares the messages of an actor, with its state and event types already known. Given to `messages` of {@link actor}. */
export interface Declare<State, Events extends Emits, Context = TurnContext<State, Events>> {
  /**
   * Declares a message that may change the actor: its turn commits state, reply, events, timers and sends together,
   * or leaves no trace. `in` checks the input before the turn; `out` declares the reply (none: the reply is empty);
   * `refuses` lists the reasons of its refusals: the handler then gives no other, and callers know them by their types.
   */
  command<
    In extends Schema | undefined = undefined,
    Out extends Schema | undefined = undefined,
    const Reason extends string = string,
  >(
    schemas: { readonly in?: In; readonly out?: Out; readonly refuses?: readonly Reason[] },
    handle: (c: Refusing<Context, Reason>, input: InOf<In>) => ReplyOf<Out> | Promise<ReplyOf<Out>>,
  ): CommandDefinition<State, Events, InOf<In>, ReplyOf<Out>, Reason>;
  /**
   * Declares a message that only reads the state. Its reply never shows a state that is not durable: it waits for the
   * commit of the turns it saw.
   */
  query<In extends Schema | undefined = undefined, Out extends Schema | undefined = undefined>(
    schemas: { readonly in?: In; readonly out?: Out },
    handle: (c: QueryContext<State>, input: InOf<In>) => ReplyOf<Out>,
  ): QueryDefinition<State, InOf<In>, ReplyOf<Out>>;
}

/** What `actor()` is given. */
export interface ActorOptions<
  StateSchema extends Schema,
  Events extends Emits,
  M extends Messages<InferOutput<StateSchema>, Events>,
  Index extends string = string,
  Sockets extends SocketsDefinition | undefined = SocketsDefinition | undefined,
> {
  /** Which keys exist. A call to another key is refused with `invalid_input`. Default: 1 to 200 characters. */
  readonly key?: GenericSchema<string, string>;
  /** The shape of the state. Must survive JSON: no `Date`, `Map`, `undefined` inside arrays. */
  readonly state: StateSchema;
  /** The state of an actor nobody has written to yet. */
  readonly initial: (key: string) => NoInfer<InferOutput<StateSchema>>;
  /** Events by wire name (`order.placed.v1`). Emitting another one is a type error, and `invalid_event` at run time. */
  readonly emits?: Events;
  /** The messages the actor understands, by name. */
  readonly messages: (declare: Declare<InferOutput<StateSchema>, Events>) => M;
  /**
   * Sockets that belong to the actor: connecting, each message and closing are turns of it, and `c.sockets` reaches who is
   * connected. Needs `topics` of `createTroupe`.
   */
  readonly sockets?: (declare: DeclareSockets<InferOutput<StateSchema>, NoInfer<Events>>) => Sockets;
  /** Waiting messages, at most; one more is answered with `mailbox_full`. Default 1,000. */
  readonly mailbox?: { readonly max: number };
  /**
   * How long a turn may take. One that takes longer fails with `turn_failed`, its `c.signal` is aborted, and the next message
   * has its turn; what the handler does after that counts for nothing. Default `"5m"`.
   */
  readonly turnLimit?: Duration;
  /** Without a message for this long the actor leaves memory. Default `"2m"`. */
  readonly idle?: Duration;
  /**
   * Members of the state to find actors by, with `troupe.where`: strings, numbers, booleans or nulls at its top level.
   * Kept in the same commit as the state. Actors stored before a member was listed are added in the background.
   */
  readonly index?: readonly Index[];
  /** What happens to a message that came by timer or send and fails again and again. Default: a dead letter after 5. */
  readonly poison?: PoisonOptions;
  /**
   * Events from a broker that become commands of actors of this type, by event type (`order.placed.v1`). Each takes effect
   * once, in the order of its key, and is acknowledged to the broker after the commit of its turn.
   */
  readonly subscribe?: Readonly<Record<string, Subscription<keyof NoInfer<M> & string>>>;
  /**
   * What a handler that threw (not: refused) does to the messages behind it. The actor itself always goes on from the
   * state before that turn. With `backoff`, messages that came by timer or send wait longer and longer while throws follow
   * one another; calls are answered at once, as their callers decide themselves. A turn that commits ends the row, and so
   * does leaving memory. Default: no pause of the actor's own; a timer or send that failed is tried again after 100 ms
   * (send: 50 ms), doubling up to 10 s (send: 5 s), whatever this says.
   */
  readonly restart?: RestartPolicy;
  /**
   * The version of the `state` schema, from 1. Stored with each state. Raise it with every change that states already
   * stored do not fit, and say in `migrate` how they get there. Default 1.
   */
  readonly version?: number;
  /**
   * Steps by the version they start from: `{ 1: (old) => ({ ...old, reserved: {} }) }` makes version 2 of version 1. A state
   * of an earlier version goes through the steps when it is loaded, is checked against `state`, and is stored with the
   * next turn. Where that cannot be done calls end with `state_unreadable`, and what is stored stays as it is.
   */
  readonly migrate?: Readonly<Record<number, Migration>>;
  /**
   * Runs at the begin of the first command of an actor that does not exist, in the same turn: state, events, timers and
   * sends of both are committed together, and a refusal or throw of either undoes both. Queries do not create an actor.
   */
  onCreate?(c: TurnContext<InferOutput<StateSchema>, NoInfer<Events>>, key: string): void | Promise<void>;
  /**
   * Runs after an actor was loaded, before its first message, for at most 10 s. When it throws, waiting messages are
   * answered `unavailable`, and the first message after a pause (100 ms, doubling up to 10 s) makes it run again.
   */
  onActivate?(c: LifeContext<InferOutput<StateSchema>>): void | Promise<void>;
  /**
   * Runs once for every `onActivate` that ended well, when the actor leaves memory (`c.reason`), for at most 5 s; it is
   * over before the actor is loaded again on this node. Best effort: a crash skips it, a failure is only logged. Where the
   * partition moved or a commit failed, `c.state` may hold turns that were never committed.
   */
  onPassivate?(c: LeaveContext<InferOutput<StateSchema>>): void | Promise<void>;
}

/** What `actor()` is given for a journaled type: one whose state is what its own events make of it. */
export interface JournaledActorOptions<
  StateSchema extends Schema,
  Events extends Emits,
  M extends Messages<InferOutput<StateSchema>, Events>,
> extends Omit<ActorOptions<StateSchema, Events, M>, "messages" | "sockets"> {
  /** Every event is kept; the state row becomes a snapshot. `true`: one every 100 events. */
  readonly journal: true | JournalOptions;
  readonly emits: Events;
  /** What each event of `emits` does to the state; `null` for one that does nothing to it. */
  readonly apply: Apply<NoInfer<InferOutput<StateSchema>>, NoInfer<Events>>;
  readonly messages: (
    declare: Declare<InferOutput<StateSchema>, Events, JournaledTurnContext<InferOutput<StateSchema>, Events>>,
  ) => M;
}

/** A definition made by {@link actor}: pass it to `createTroupe` and to `ref`. */
export interface ActorType<
  StateSchema extends Schema = Schema,
  Events extends Emits = Emits,
  M extends Messages<InferOutput<StateSchema>, Events> = Messages<InferOutput<StateSchema>, Events>,
  Index extends string = string,
  Sockets extends SocketsDefinition | undefined = SocketsDefinition | undefined,
> {
  readonly type: string;
  readonly options: ActorOptions<StateSchema, Events, M, Index, Sockets>;
  readonly messages: M;
  /** `undefined` where it declares none. */
  readonly sockets: Sockets;
}

/**
 * Defines an actor type. The definition holds no state and starts nothing.
 *
 * With `journal` its state changes through its own events alone: `apply` says how, and every event is kept.
 *
 * @throws {TypeError} when `type` is not lower case, digits and hyphens (at most 63), because it becomes part of
 * addresses, subjects and topics; when a journaled type has an event without `apply`, or an `index`; when the name of a
 * message begins with `$`, which the runtime keeps for itself; when `index` names a field twice, or one of more than 100
 * characters; when `version` is not a whole number from 1 to 32767, or `migrate` has a step that starts from no earlier
 * version; when the pauses of `restart` are no durations, or the longest is shorter than the first; when a subscription
 * sends what is no command.
 *
 * @example
 * ```ts
 * export const Counter = actor("counter", {
 *   state: v.object({ count: v.number() }),
 *   initial: () => ({ count: 0 }),
 *   messages: ({ command, query }) => ({
 *     add: command({ in: v.object({ by: v.number() }), out: v.number() }, (c, { by }) => (c.state.count += by)),
 *     value: query({ out: v.number() }, (c) => c.state.count),
 *   }),
 * });
 * ```
 */
export function actor<
  StateSchema extends Schema,
  M extends Messages<InferOutput<StateSchema>, Events>,
  Events extends Emits,
>(
  type: string,
  options: JournaledActorOptions<StateSchema, Events, M>,
): ActorType<StateSchema, Events, M, string, undefined>;
export function actor<
  StateSchema extends Schema,
  M extends Messages<InferOutput<StateSchema>, Events>,
  Events extends Emits = Record<never, never>,
  const Index extends IndexableField<InferOutput<StateSchema>> = never,
  Sockets extends SocketsDefinition | undefined = undefined,
>(
  type: string,
  options: ActorOptions<StateSchema, Events, M, Index, Sockets>,
): ActorType<StateSchema, Events, M, Index, Sockets>;
export function actor<
  StateSchema extends Schema,
  M extends Messages<InferOutput<StateSchema>, Events>,
  Events extends Emits,
>(type: string, options: ActorOptions<StateSchema, Events, M> & JournalPart): ActorType<StateSchema, Events, M> {
  checkTypeName("actor type", type);
  checkStateSchema(type, options.state);
  if (options.restart !== undefined) checkRestartPolicy(type, options.restart);
  checkSchemaVersion(type, options.version, options.migrate);
  const index: readonly string[] = options.index ?? [];
  const wrong = index.find((field, i) => field.length > MAX_FIELD_LENGTH || index.indexOf(field) !== i);
  if (wrong !== undefined) {
    throw new TypeError(
      `Cannot index "${wrong}" of the actor type "${type}": expected each field once, with at most ${MAX_FIELD_LENGTH} characters`,
    );
  }
  const declare: Declare<InferOutput<StateSchema>, Events> = {
    command: (schemas, handle) => ({
      kind: "command",
      in: schemas.in,
      out: schemas.out,
      refuses: schemas.refuses,
      // The same context: only the type of a reason is narrower.
      handle: handle as never,
    }),
    query: (schemas, handle) => ({ kind: "query", in: schemas.in, out: schemas.out, handle }),
  };
  const own = options.messages(declare);
  checkMessageNames(type, own);
  const sockets = options.sockets?.(declareSockets as DeclareSockets<InferOutput<StateSchema>, Events>);
  const messages = sockets === undefined ? own : { ...own, ...socketCommands(sockets) };
  for (const [event, { send }] of Object.entries(options.subscribe ?? {})) {
    if (Object.hasOwn(messages, send) && messages[send]?.kind === "command") continue;
    throw new TypeError(`Cannot subscribe ${type} to "${event}" as it has no command "${send}"`);
  }
  if (options.journal === undefined) return { type, options, messages, sockets };
  // Its stored state is a snapshot that may be behind its events, so an index of it could not be filled or checked.
  if (index.length > 0)
    throw new TypeError(`Cannot index the journaled actor type "${type}": make a projection of its events`);
  checkJournal(type, options);
  return { type, options, messages: { ...messages, [REBUILD]: rebuildCommand }, sockets };
}

interface JournalPart {
  readonly journal?: true | JournalOptions;
  readonly apply?: Readonly<Record<string, AnyApply>>;
}

function checkJournal(type: string, { journal, apply, emits }: JournalPart & { readonly emits?: Emits }): void {
  const every = typeof journal === "object" ? journal.snapshotEvery : 1;
  if (!Number.isSafeInteger(every) || every < 1) {
    throw new TypeError(`Cannot journal ${type} with a snapshot every ${every} events: expected a whole number from 1`);
  }
  const missing = Object.keys(emits ?? {}).filter((event) => apply?.[event] === undefined);
  if (missing.length > 0) {
    throw new TypeError(`Cannot journal ${type} as "apply" lacks ${missing.join(", ")}: give a function, or null`);
  }
}
