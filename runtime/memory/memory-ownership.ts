import type { Clock } from "../base/clock.ts";
import {
  type CommitBatch,
  FencedError,
  type Fence,
  type Grant,
  type NodeInfo,
  type NodeContracts,
  type NodeId,
  type NodeRow,
  type Ownership,
} from "../ports/store.ts";

interface Slot {
  owner: NodeId | undefined;
  epoch: number;
  commitSeq: number;
  lastSeq: number;
}

interface Lease {
  readonly until: number;
  readonly since: number;
  readonly info: NodeInfo | undefined;
}

/** Nodes that have been gone for this long are forgotten. */
const FORGET_MS = 86_400_000;

/** The nodes of a store in memory with their leases, and who holds which partition. */
export class MemoryOwnership {
  readonly #clock: Clock;
  readonly #slots: Slot[];
  readonly #leases = new Map<NodeId, Lease>();

  /** @param partitions how many the store has. */
  constructor(clock: Clock, partitions: number) {
    this.#clock = clock;
    this.#slots = Array.from({ length: partitions }, () => ({ owner: undefined, epoch: 0, commitSeq: 0, lastSeq: 0 }));
  }

  heartbeat(node: NodeId, leaseMs: number, info?: NodeInfo): readonly Ownership[] {
    const known = this.#leases.get(node);
    const contracts = info?.contracts ?? known?.info?.contracts;
    this.#leases.set(node, {
      until: this.#clock.monotonic() + leaseMs,
      since: known?.since ?? this.#clock.now(),
      info: info === undefined ? known?.info : { ...info, ...(contracts === undefined ? {} : { contracts }) },
    });
    return this.#slots.map((slot, partition) => ({ partition, owner: this.#liveOwner(slot), epoch: slot.epoch }));
  }

  nodes(): readonly NodeRow[] {
    return this.#liveNodes().map(([id, { until, since, info }]) => {
      const { contracts: _, ...said } = info ?? {};
      return {
        id,
        info: info === undefined ? undefined : (said as Omit<NodeInfo, "contracts">),
        since,
        leaseLeftMs: until - this.#clock.monotonic(),
      };
    });
  }

  contracts(): readonly NodeContracts[] {
    return this.#liveNodes().flatMap(([node, { info }]) =>
      info?.contracts === undefined ? [] : [{ node, contracts: info.contracts }],
    );
  }

  acquire(node: NodeId, partitions?: readonly number[]): readonly Grant[] {
    const now = this.#clock.monotonic(); // one moment for all: a lease that ends meanwhile must not split the answer
    const wanted = partitions === undefined ? undefined : new Set(partitions);
    const free = this.#slots.flatMap((slot, partition) =>
      this.#liveOwner(slot, now) === undefined && (wanted?.has(partition) ?? true) ? [partition] : [],
    );
    return free.map((partition) => {
      const abandoned = this.#slot(partition).owner !== undefined;
      return { ...this.#grant(node, partition), abandoned };
    });
  }

  release(node: NodeId, partitions: readonly Fence[]): void {
    for (const fence of partitions) if (this.#holds(node, fence)) this.#slot(fence.partition).owner = undefined;
  }

  settle(node: NodeId, partitions: readonly Fence[]): readonly Grant[] {
    return partitions
      .filter(({ partition }) => this.#slot(partition).owner === node)
      .map(({ partition }) => this.#grant(node, partition));
  }

  /** The last outbox sequence number of a partition. */
  lastSeq(partition: number): number {
    return this.#slot(partition).lastSeq;
  }

  /** A commit has touched these partitions. */
  committed(fences: CommitBatch["fences"]): void {
    for (const { partition, lastSeq } of fences) {
      const slot = this.#slot(partition);
      slot.commitSeq++;
      slot.lastSeq = lastSeq;
    }
  }

  /** @throws {FencedError} a partition is held by another node, or under another epoch. */
  check(node: NodeId, fences: readonly Fence[]): void {
    if (!fences.every((fence) => this.#holds(node, fence)))
      throw new FencedError("a partition is held by another node");
  }

  #slot(partition: number): Slot {
    return this.#slots[partition] as Slot;
  }

  #liveOwner({ owner }: Slot, now = this.#clock.monotonic()): NodeId | undefined {
    return owner !== undefined && (this.#leases.get(owner)?.until ?? 0) > now ? owner : undefined;
  }

  #liveNodes(): [NodeId, Lease][] {
    const now = this.#clock.monotonic();
    for (const [id, { until }] of this.#leases) if (until <= now - FORGET_MS) this.#leases.delete(id);
    return [...this.#leases].filter(([, { until }]) => until > now).toSorted(([a], [b]) => (a < b ? -1 : 1));
  }

  #holds(node: NodeId, { partition, epoch }: Fence): boolean {
    const slot = this.#slot(partition);
    return slot.owner === node && slot.epoch === epoch;
  }

  #grant(node: NodeId, partition: number): Grant {
    const slot = this.#slot(partition);
    slot.owner = node;
    slot.epoch++;
    return { partition, epoch: slot.epoch, commitSeq: slot.commitSeq, lastSeq: slot.lastSeq };
  }
}
