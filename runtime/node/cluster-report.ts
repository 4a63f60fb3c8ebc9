import type { ReportedActors } from "../activation/activation-directory.ts";
import type { SubscriptionStatus } from "../actor/subscription.ts";
import type { NodeId } from "../ports/store.ts";

/** The cluster as one node sees it, with what the others said of themselves. */
export interface ClusterReport {
  /** The node that was asked. */
  readonly nodeId: NodeId;
  readonly nodes: readonly ReportedNode[];
  /** By the name the store has among those of a node: `default`, or an actor type's. */
  readonly stores: readonly ReportedStore[];
}

/** One node of a {@link ClusterReport}. */
export interface ReportedNode {
  readonly id: NodeId;
  readonly address: string | undefined;
  /** Whether it takes partitions; one that only routes, or is leaving, does not. */
  readonly owns: boolean;
  /** When it joined, in milliseconds since the epoch. */
  readonly since: number;
  /** Milliseconds since it last renewed its lease; of several stores the oldest. */
  readonly leaseAgeMs: number;
  /** What it has in memory, by actor type; `undefined` when it did not answer in time. */
  readonly actors: readonly ReportedActors[] | undefined;
  /** Its view of the subscriptions; `undefined` when it did not answer in time, or is of an older version. */
  readonly subscriptions: readonly SubscriptionStatus[] | undefined;
}

/** One store of a {@link ClusterReport}, with who holds what. */
export interface ReportedStore {
  readonly store: string;
  readonly types: readonly string[];
  readonly partitions: readonly {
    readonly partition: number;
    readonly node: NodeId | undefined;
    readonly epoch: number;
  }[];
}
