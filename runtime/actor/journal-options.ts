import type { InferOutput } from "valibot";
import type { Emits } from "./any-actor.ts";
import type { TurnContext } from "./context.ts";

/** `T`, nothing of which can be assigned. */
export type DeepReadonly<T> = T extends (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T;

/**
 * What a command of a journaled actor sees. The state changes by `emit` alone, at once: the lines after it see the state
 * with the event applied. Assigning to the state throws a `TypeError`, and the turn leaves no trace.
 */
export interface JournaledTurnContext<State, Events extends Emits> extends Omit<TurnContext<State, Events>, "state"> {
  readonly state: DeepReadonly<State>;
}

/**
 * What each event does to the state: change `state` in place, or return the next one. `null`: the event is no part of
 * the state. Runs in the turn that emits, and again in every replay, years later too: no clock, no randomness, no
 * refusals, and no changing what an event once meant (give the new meaning a new event type).
 */
export type Apply<State, Events extends Emits> = {
  readonly [Type in keyof Events & string]:
    | ((state: State, data: InferOutput<Events[Type]>, meta: EventMeta) => State | void)
    | null;
};

/** What `apply` is told of an event beside its data: all of it is kept, so that a replay sees the same. */
export interface EventMeta {
  /** The actor's key. */
  readonly key: string;
  /** The event's id (`evt_…`). */
  readonly id: string;
  /** When it was emitted, in milliseconds since the epoch. */
  readonly at: number;
  /** Its number in the actor's journal, from 1. */
  readonly seq: number;
}
