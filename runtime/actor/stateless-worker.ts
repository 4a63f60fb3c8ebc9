/** The definition of a stateless worker: a type without identity, of which as many copies run as there is work for. */
import { durationMs, type Duration } from "../base/duration.ts";
import type { RefuseOptions } from "../message/errors.ts";
import type { InOf, Refusing, ReplyOf } from "./actor.ts";
import type { AnyActorType, AnyWorkDefinition, AnyWorkerType, Schema } from "./any-actor.ts";
import type { ActorRef, WorkerRef } from "./ref.ts";
import { checkMessageNames, checkTypeName } from "./type-names.ts";

/** What the handler of a stateless worker sees. Nothing of a run is kept: no state, timers, events or sends. */
export interface WorkContext {
  /** Milliseconds since the epoch, by the runtime's clock. */
  readonly now: number;
  /** The trace (W3C) of the call that is worked on. */
  readonly traceparent: string | undefined;
  /** Until when the caller waits, in milliseconds since the epoch by this node's clock. Calls made through `ref` wait no longer. */
  readonly deadline: number | undefined;
  /**
   * Aborted when nobody needs the run any more: its caller's deadline passed or it gave the call up, its `turnLimit` is over,
   * or its node stops and the time for draining is over. Hand it to I/O.
   */
  readonly signal: AbortSignal;
  /** Refuses the message unless `condition` holds: the caller gets a `RefusedError`. */
  require(condition: unknown, reason: string, data?: Readonly<Record<string, unknown>>): void;
  /** Refuses the message. Write `return c.refuse(…)`, so that the compiler sees the end. */
  refuse(reason: string, data?: Readonly<Record<string, unknown>>, options?: RefuseOptions): never;
  /**
   * Asks an actor and waits for the reply. What changes something acts once for each run; where the run was asked for by a turn
   * that is run again, once for that turn.
   */
  ref<Target extends AnyActorType>(target: Target, key: string): ActorRef<Target>;
  /** Asks another stateless worker. */
  ref<Target extends AnyWorkerType>(target: Target): WorkerRef<Target>;
}

/** A message of a stateless worker. Made by the function that `messages` of {@link statelessWorker} is given. */
export interface WorkDefinition<In, Out, Reason extends string = string> extends AnyWorkDefinition {
  readonly refuses?: readonly Reason[] | undefined;
  handle(c: WorkContext, input: In): Out | Promise<Out>;
}

/** Declares the messages of a stateless worker. Given to `messages` of {@link statelessWorker}. */
export interface DeclareWork {
  /** `in` checks the input before the run; `out` declares the reply (none: it is empty); `refuses` lists the reasons of its refusals. */
  work<
    In extends Schema | undefined = undefined,
    Out extends Schema | undefined = undefined,
    const Reason extends string = string,
  >(
    schemas: { readonly in?: In; readonly out?: Out; readonly refuses?: readonly Reason[] },
    handle: (c: Refusing<WorkContext, Reason>, input: InOf<In>) => ReplyOf<Out> | Promise<ReplyOf<Out>>,
  ): WorkDefinition<InOf<In>, ReplyOf<Out>, Reason>;
}

/** What {@link statelessWorker} is given. */
export interface WorkerOptions<M extends Readonly<Record<string, AnyWorkDefinition>>> {
  /** The messages the worker understands, by name. */
  readonly messages: (declare: DeclareWork) => M;
  /** Runs at once on each node, at most: handlers that await. Default 32. */
  readonly copies?: number;
  /** Calls that wait for a copy on each node, at most; one more is answered with `mailbox_full`. Default 1,000. */
  readonly mailbox?: { readonly max: number };
  /**
   * How long a run may take. One that takes longer fails with `turn_failed`, its `c.signal` is aborted, and its copy takes the
   * next call. Default `"5m"`.
   */
  readonly turnLimit?: Duration;
}

/** A definition made by {@link statelessWorker}: pass it to `createTroupe` (`workers`) and to `ref`. */
export interface WorkerType<
  M extends Readonly<Record<string, AnyWorkDefinition>> = Readonly<Record<string, AnyWorkDefinition>>,
> extends AnyWorkerType {
  readonly options: WorkerOptions<M>;
  readonly messages: M;
}

/** What an actor is given and a worker is not. */
const NOT_KEPT = ["state", "initial", "emits", "journal", "apply", "index", "sockets", "subscribe", "migrate", "key"];

/**
 * Defines a stateless worker: messages without an actor. Calls are handled wherever there is room: on the caller's node first, up to
 * `copies` at once, then on another node that has a free copy, and else they wait on the caller's.
 *
 * What holds for actors and not here: there is no state, no order of messages, and nothing is stored, so that a call has no
 * once-only `id`: asked again, it runs again. What must act once is a command of an actor, which a worker may ask.
 *
 * @throws {TypeError} when `type` is not lower case, digits and hyphens (at most 63); when the name of a message begins with `$`;
 * when `copies` or `mailbox.max` is no whole number from 1; when it is given what only actors have, as `state`, `emits` or
 * `subscribe`.
 *
 * @example
 * ```ts
 * const Rates = statelessWorker("rates", {
 *   messages: ({ work }) => ({
 *     convert: work({ in: v.object({ amount: v.number(), to: v.string() }), out: v.number() }, async (c, { amount, to }) => {
 *       const answer = await fetch(`https://rates.example/${to}`, { signal: c.signal });
 *       return amount * Number(await answer.text());
 *     }),
 *   }),
 *   copies: 8,
 * });
 * const node = await createTroupe({ actors: [], workers: [Rates], stores: { default: memory() } });
 * const convert = (amount: number) => node.ref(Rates).convert({ amount, to: "JPY" });
 * await node.stop();
 * ```
 */
export function statelessWorker<M extends Readonly<Record<string, AnyWorkDefinition>>>(
  type: string,
  options: WorkerOptions<M>,
): WorkerType<M> {
  checkTypeName("stateless worker", type);
  const kept = NOT_KEPT.find((name) => name in options);
  if (kept !== undefined) {
    throw new TypeError(
      `Cannot give the stateless worker "${type}" \`${kept}\` as nothing of it is kept: define an actor`,
    );
  }
  for (const [name, count] of [
    ["copies", options.copies ?? 1],
    ["mailbox.max", options.mailbox?.max ?? 1],
  ] as const) {
    if (Number.isSafeInteger(count) && count >= 1) continue;
    throw new TypeError(`Cannot give the stateless worker "${type}" ${name} ${count}: expected a whole number from 1`);
  }
  if (options.turnLimit !== undefined) durationMs(options.turnLimit);
  const messages = options.messages({
    work: (schemas, handle) => ({
      kind: "work",
      in: schemas.in,
      out: schemas.out,
      refuses: schemas.refuses,
      // The same context: only the type of a reason is narrower.
      handle: handle as never,
    }),
  });
  checkMessageNames(type, messages);
  return { type, options, messages };
}

/** Whether a definition is that of a stateless worker: an actor type has a state. */
export function isWorker(type: AnyActorType | AnyWorkerType): type is AnyWorkerType {
  return !("state" in type.options);
}
