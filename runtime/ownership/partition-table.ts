/**
 * The partitions of one store: those this node holds, and who holds the others, as far as is known here.
 *
 * Owns: the table, and until when the lease of this node lasts. Does not own: what is asked of the store, and when
 * (`Ownership`).
 * Calls in: everybody asks `partition` and `holdsLease`; `Ownership` alone writes.
 *
 * T1 what the store says wins: a partition held by someone else leaves the table at once. A row that was read before this
 *    node got the partition shows an older epoch, and says nothing.
 */
import type { Clock } from "../base/clock.ts";
import { partitionOf } from "../message/address.ts";
import type { Fence, Grant, NodeId, NodeRow, Ownership as OwnershipRow, Store } from "../ports/store.ts";
import type { Partition } from "./partition.ts";

/** What a round of asking the store has changed. */
export interface Learned {
  /** Held here until now, and somebody else's by the store. */
  readonly lost: readonly Partition[];
  /** This node's by the store, and not in use here. */
  readonly stray: readonly Fence[];
}

export class PartitionTable {
  readonly #nodeId: NodeId;
  readonly #clock: Clock;
  readonly #store: Pick<Store, "partitions">;
  readonly #held = new Map<number, Partition>();
  readonly #rows = new Map<number, OwnershipRow>();
  #nodes: readonly NodeRow[] = [];
  #leaseUntil = Number.NEGATIVE_INFINITY;
  #renewedAt = Number.NEGATIVE_INFINITY;

  constructor(nodeId: NodeId, clock: Clock, store: Pick<Store, "partitions">) {
    this.#nodeId = nodeId;
    this.#clock = clock;
    this.#store = store;
  }

  // --- what everybody asks ---

  /** How many partitions the store has. */
  get count(): number {
    return this.#store.partitions;
  }

  /** The number of the partition that an actor lives in. */
  of(type: string, key: string): number {
    return partitionOf(type, key, this.#store.partitions);
  }

  /** A partition this node holds. */
  partition(id: number): Partition | undefined {
    return this.#held.get(id);
  }

  /** The numbers of the partitions this node holds. */
  held(): number[] {
    return [...this.#held.keys()];
  }

  /** Whether the lease of this node cannot have run out at `now` (monotonic). */
  holdsLease(now = this.#clock.monotonic()): boolean {
    return now < this.#leaseUntil;
  }

  /** Milliseconds since the lease was last renewed. */
  leaseAgeMs(): number {
    return Math.max(0, Math.round(this.sinceRenewal()));
  }

  /** The node to send calls for a partition to; `undefined` when nobody holds it, as far as is known. */
  ownerOf(partition: number): NodeId | undefined {
    if (this.#held.has(partition)) return this.#nodeId;
    const owner = this.#rows.get(partition)?.owner;
    return owner === this.#nodeId ? undefined : owner;
  }

  /** The nodes with a lease, as of the last round. */
  nodes(): readonly NodeRow[] {
    return this.#nodes;
  }

  /** Who holds what, as of the last round; empty before the first row was written. */
  map(): readonly OwnershipRow[] {
    return [...this.#rows.values()].map((row) => {
      const held = this.#held.get(row.partition);
      return held === undefined ? row : { ...row, owner: this.#nodeId, epoch: held.epoch };
    });
  }

  // --- what `Ownership` writes and asks ---

  /** As `leaseAgeMs`, exactly; infinite before the first renewal. */
  sinceRenewal(): number {
    return this.#clock.monotonic() - this.#renewedAt;
  }

  /** The partitions this node holds. */
  partitions(): Partition[] {
    return [...this.#held.values()];
  }

  /** The nodes that have a lease now. Returns whether they are others than before. */
  nodesAre(nodes: readonly NodeRow[]): boolean {
    const before = this.#nodes;
    this.#nodes = nodes;
    this.#renewedAt = this.#clock.monotonic();
    return nodes.map(({ id }) => id).join() !== before.map(({ id }) => id).join();
  }

  leaseUntil(monotonic: number): void {
    this.#leaseUntil = monotonic;
  }

  /** Takes in what the store says. `moving`: whether a partition is just on its way to another node. */
  learn(rows: readonly OwnershipRow[], moving: (partition: number) => boolean): Learned {
    const lost: Partition[] = [];
    const stray: Fence[] = [];
    for (const row of rows) {
      const held = this.#held.get(row.partition);
      if (row.epoch < this.knownEpoch(row.partition)) continue; // PartitionTable.T1
      this.#rows.set(row.partition, row);
      const mine = row.owner === this.#nodeId;
      if (held !== undefined && !mine) lost.push(held);
      // Given up after a fenced batch, or granted in a round that failed.
      if (held === undefined && mine && !moving(row.partition)) stray.push(row);
    }
    for (const partition of lost) this.#held.delete(partition.id); // PartitionTable.T1
    return { lost, stray };
  }

  /** The highest epoch of a partition that this node has heard of; 0: none. */
  knownEpoch(partition: number): number {
    return Math.max(this.#held.get(partition)?.epoch ?? 0, this.#rows.get(partition)?.epoch ?? 0);
  }

  add(partitions: readonly Partition[]): void {
    for (const partition of partitions) this.#held.set(partition.id, partition);
  }

  /** Takes out of the table what of these is still in it, and returns that. */
  remove(partitions: readonly Partition[]): readonly Partition[] {
    const removed = partitions.filter((partition) => this.#held.get(partition.id) === partition);
    for (const { id } of removed) this.#held.delete(id);
    return removed;
  }

  /** This node gives these back: nobody holds them for now. */
  released(partitions: readonly Partition[]): void {
    for (const { id, epoch } of partitions) {
      this.#held.delete(id);
      this.#rows.set(id, { partition: id, owner: undefined, epoch });
    }
  }

  /** Another node has taken what this one released for it. */
  takenBy(node: NodeId, partitions: readonly Partition[]): void {
    for (const { id, epoch } of partitions) this.#rows.set(id, { partition: id, owner: node, epoch: epoch + 1 });
  }

  /** Higher epochs of partitions that are held here. */
  renewEpochs(grants: readonly Grant[]): void {
    for (const grant of grants) {
      const partition = this.#held.get(grant.partition);
      if (partition !== undefined) partition.epoch = grant.epoch;
    }
  }

  /** The node stops: it holds nothing any more. Returns what it held. */
  clear(): readonly Partition[] {
    const partitions = this.partitions();
    this.#held.clear();
    this.#leaseUntil = Number.NEGATIVE_INFINITY;
    return partitions;
  }
}
