import type { AnyActorType, ContractCheck, NodeContracts } from "#runtime";
import { type ActorContract, contractOf } from "./contract.ts";
import { type ContractDifference, contractDifferences, describeDifference } from "./differences.ts";

/** A node was refused, as it cannot run beside those that do. It may start once they have left. */
export class ContractError extends Error {
  override readonly name = "ContractError";
  readonly code = "contract_incompatible";
  readonly retryable = true;
  /** A node that runs with the older contracts. */
  readonly node: string;
  readonly differences: readonly ContractDifference[];

  constructor(node: string, differences: readonly ContractDifference[]) {
    super(
      `Cannot start beside the node ${node} as the contracts do not fit:\n${differences.map((each) => `  ${describeDifference(each)}`).join("\n")}`,
    );
    this.node = node;
    this.differences = differences;
  }
}

/**
 * Refuses a node whose actor types do not fit those of the running nodes, see {@link contractDifferences}: give it to
 * `createTroupe({ contracts })`, which then throws a {@link ContractError}.
 */
export function contractCheck(): ContractCheck {
  return {
    describe: (types: readonly AnyActorType[]) => JSON.stringify(types.map(contractOf)),
    compare(own: string, running: readonly NodeContracts[]) {
      const mine = new Map((JSON.parse(own) as ActorContract[]).map((contract) => [contract.type, contract]));
      for (const { node, contracts } of running) {
        if (contracts === own) continue;
        const differences = (JSON.parse(contracts) as ActorContract[]).flatMap((was) => {
          const is = mine.get(was.type);
          return is === undefined ? [] : contractDifferences(was, is);
        });
        if (differences.length > 0) throw new ContractError(node, differences);
      }
    },
  };
}
