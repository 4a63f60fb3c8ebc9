import type { Delivery } from "../message/delivery.ts";
import type { ActorState } from "../turn/actor-state.ts";
import type { Turn } from "../turn/turn.ts";

/** What one life of an actor is doing. */
export type Work =
  | { readonly kind: "none" }
  /** The id of a message is not among the replies at hand: the store is asked for it before its turn. */
  | { readonly kind: "looking-up"; readonly delivery: Delivery }
  /** A handler was called in this very step: most turns end with it, and should not pay for an entry of their own. */
  | { readonly kind: "begun" }
  /** A handler that awaits. `before` is the state its turn started from, for queries; made when first asked for. */
  | {
      readonly kind: "awaiting";
      readonly delivery: Delivery;
      readonly turn: Turn;
      before?: { readonly state: unknown };
    };

export const NONE: Work = { kind: "none" };
export const BEGUN: Work = { kind: "begun" };

/** The state a query may see: never the half-done work of a running turn. */
export function stateForQuery(work: Work, state: ActorState): unknown {
  if (work.kind === "begun") return state.copy();
  if (work.kind !== "awaiting") return state.draft();
  return (work.before ??= { state: state.copy() }).state;
}
