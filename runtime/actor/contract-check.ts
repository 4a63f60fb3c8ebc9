import type { NodeContracts } from "../ports/store.ts";
import type { AnyActorType } from "./any-actor.ts";

/**
 * Tells whether nodes of different versions can run beside each other. The runtime keeps what `describe` returns with
 * the node's lease, and asks when a node starts; what a contract is, is up to the implementation.
 */
export interface ContractCheck {
  /** What others have to know of these types: the same text for the same types. */
  describe(types: readonly AnyActorType[]): string;
  /** @throws when a node with the contracts `own` cannot run beside those that do: it is refused. */
  compare(own: string, running: readonly NodeContracts[]): void;
}
