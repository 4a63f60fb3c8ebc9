import type { Delivery } from "../message/delivery.ts";
import type { ActorState } from "../turn/actor-state.ts";
import type { AwaitedTurn } from "./awaited-turn.ts";

/** What one life of an actor is doing. */
export type Work =
  | { readonly kind: "none" }
  /** The id of a message is not among the replies at hand: the store is asked for it before its turn. */
  | { readonly kind: "looking-up"; readonly delivery: Delivery }
  /** A handler was called in this very step: most turns end with it, and should not pay for an entry of their own. */
  | { readonly kind: "begun" }
  /** A handler that awaits. */
  | AwaitedTurn;

export const NONE: Work = { kind: "none" };
export const BEGUN: Work = { kind: "begun" };

/** The state a query may see: never the half-done work of a running turn. */
export function stateForQuery(work: Work, state: ActorState): unknown {
  if (work.kind === "begun") return state.copy();
  if (work.kind !== "awaiting") return state.draft();
  return (work.started ??= { state: state.copy() }).state;
}
