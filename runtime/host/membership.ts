import type { AnyActorType } from "../actor/any-actor.ts";
import type { MembershipPort } from "../ownership/ownership.ts";
import type { NodeInfo, NodeId, Store } from "../ports/store.ts";
import type { StoreLog } from "../telemetry/store-log.ts";
import type { NodeServices } from "./node-services.ts";

export interface MembershipParts {
  readonly node: NodeServices;
  readonly store: Store;
  /** The store's name among those of the node. */
  readonly storeKey: string;
  readonly types: readonly AnyActorType[];
  readonly log: StoreLog;
}

/** This node among those that share a store: what they may know of it, and how it speaks to them. */
export class Membership implements MembershipPort {
  readonly #parts: MembershipParts;

  constructor(parts: MembershipParts) {
    this.#parts = parts;
  }

  get info(): NodeInfo {
    const { types, node } = this.#parts;
    return {
      owns: node.owns,
      address: node.address(),
      types: types.map(({ type }) => type).toSorted(),
      ...(node.workers.length > 0 && { workers: node.workers }),
      leaseMs: node.leaseMs,
      ...(node.contracts === undefined ? {} : { contracts: node.contracts.describe(types) }),
    };
  }

  get offer(): MembershipPort["offer"] {
    const { node, storeKey } = this.#parts;
    const { offer } = node;
    return offer === undefined ? undefined : (to, partitions) => offer(to, storeKey, partitions);
  }

  async admit(): Promise<void> {
    const { node, store, types } = this.#parts;
    const { contracts } = node;
    if (contracts === undefined) return;
    const running = (await store.contracts()).filter((other) => other.node !== node.nodeId);
    contracts.compare(contracts.describe(types), running);
  }

  nodesChanged(nodes: readonly NodeId[]): void {
    this.#parts.log.nodesChanged(nodes);
  }

  renewalFailed(error: unknown): void {
    const { node, log } = this.#parts;
    if (node.metrics !== undefined) node.metrics.leaseFailures++;
    log.failed("lease renewal", error);
  }

  lost(count: number): void {
    const { metrics } = this.#parts.node;
    if (metrics !== undefined) metrics.partitionsLost += count;
  }

  failed(what: string, error: unknown): void {
    this.#parts.log.failed(what, error);
  }
}
