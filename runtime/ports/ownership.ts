/** Rows of the store port that say which nodes there are and which partitions each of them holds. */

/** The name of a running node, unique among those that share a store. */
export type NodeId = string;

/** Proof of ownership that a write must show. */
export interface Fence {
  readonly partition: number;
  readonly epoch: number;
}

/** A partition this node holds, with what is committed in it. */
export interface Grant extends Fence {
  /** Raised by one with every commit that touches the partition. */
  readonly commitSeq: number;
  /** The last outbox sequence number. */
  readonly lastSeq: number;
  /** Whether it was taken from a node that had not given it back: that may have ended in the middle of anything. */
  readonly abandoned?: boolean;
}

/** Who holds a partition, as far as the store knows. `undefined`: nobody, or the lease has run out. */
export interface Ownership {
  readonly partition: number;
  readonly owner: NodeId | undefined;
  readonly epoch: number;
}

/** What a node says of itself to the others. */
export interface NodeInfo {
  /** Where it serves people, as in `http://10.0.0.4:3000`; `undefined` where it does not. */
  readonly address: string | undefined;
  /** Whether it takes partitions of this store; a node that only routes, or is about to leave, does not. */
  readonly owns: boolean;
  /** The actor types of this store that it knows. */
  readonly types: readonly string[];
  /** The stateless workers that it runs; `undefined`: none. */
  readonly workers?: readonly string[];
  /** How long its leases are, in milliseconds. */
  readonly leaseMs: number;
  /** The contracts of those types, as text that whoever wrote it can read. Kept where it is not given. */
  readonly contracts?: string;
}

/** A node with a lease. `info` is `undefined` for a node of an older version. */
export interface NodeRow {
  readonly id: NodeId;
  readonly info: Omit<NodeInfo, "contracts"> | undefined;
  /** When it first renewed its lease. */
  readonly since: number;
  /** How long its lease is still good. */
  readonly leaseLeftMs: number;
}

/** What a node said of its messages, events and states. */
export interface NodeContracts {
  readonly node: NodeId;
  readonly contracts: string;
}
