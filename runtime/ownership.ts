/**
 * Which partitions of one store this node holds, and who holds the others.
 *
 * Owns: the lease of this node in the store, the table of partitions held, the routing table.
 * Calls out: the store's `heartbeat`, `acquire`, `settle`, `release`; the host's `prepare` and `lost`.
 *
 * O1 a partition is used only under an epoch this node was granted, and only while the lease, counted from before the
 *    renewal was sent, cannot have run out (`holdsLease`). The commit's fence is what protects the data (G4); this
 *    protects reads and publishing.
 * O2 what the store says wins: a partition held by someone else is given up at once.
 */
import type { Clock } from "./clock.ts";
import { Partition } from "./partition.ts";
import type { Fence, Grant, Store } from "./ports/store.ts";

export interface OwnershipHost {
  readonly nodeId: string;
  readonly leaseMs: number;
  readonly clock: Clock;
  readonly store: Store;
  /** Reads what newly held partitions need (cursors, timers). What it resolves to is called once they are in use. */
  prepare(partitions: readonly Partition[]): Promise<() => void>;
  lost(partitions: readonly Partition[]): void;
  failed(what: string, error: unknown): void;
}

export class Ownership {
  readonly #host: OwnershipHost;
  readonly #held = new Map<number, Partition>();
  readonly #owners = new Map<number, string | undefined>();
  readonly #watches = new Set<{ readonly partition: number; readonly owner: string; moved(): void }>();
  #leaseUntil = Number.NEGATIVE_INFINITY;
  #renewedAt = Number.NEGATIVE_INFINITY;
  #cancel: (() => void) | undefined;
  #round: Promise<void> | undefined;
  #stopped = false;

  constructor(host: OwnershipHost) {
    this.#host = host;
  }

  /** Renews, takes what is free, and goes on doing so until `stop`. The first round's failure is thrown. */
  async start(): Promise<void> {
    await this.#renew();
    this.#schedule();
  }

  partition(id: number): Partition | undefined {
    return this.#held.get(id);
  }

  held(): number[] {
    return [...this.#held.keys()];
  }

  holdsLease(): boolean {
    return this.#host.clock.monotonic() < this.#leaseUntil;
  }

  leaseAgeMs(): number {
    return Math.max(0, Math.round(this.#host.clock.monotonic() - this.#renewedAt));
  }

  /** The node to send calls for a partition to; `undefined` when nobody holds it, as far as is known. */
  ownerOf(partition: number): string | undefined {
    if (this.#held.has(partition)) return this.#host.nodeId;
    const owner = this.#owners.get(partition);
    return owner === this.#host.nodeId ? undefined : owner;
  }

  /**
   * Calls `moved` once when the partition is no longer `owner`'s, as far as the store says. The returned function ends
   * the watch. For calls under way to a node that may be dead.
   */
  watch(partition: number, owner: string, moved: () => void): () => void {
    const entry = { partition, owner, moved };
    this.#watches.add(entry);
    return () => void this.#watches.delete(entry);
  }

  /** A commit was fenced, or its outcome was settled elsewhere: stop using these partitions, then ask the store. */
  giveUp(partitions: readonly Partition[]): void {
    const lost = partitions.filter((partition) => this.#held.get(partition.id) === partition);
    for (const partition of lost) this.#held.delete(partition.id);
    if (lost.length > 0) this.#host.lost(lost);
    void this.refresh();
  }

  /** Asks the store at once, as when a call found no owner. Joins a round that is under way. */
  async refresh(): Promise<void> {
    if (this.#stopped) return;
    await (this.#round ??= this.#guardedRenew());
  }

  /** Takes grants that `settle` returned for partitions held here: same partition, higher epoch. */
  renewEpochs(grants: readonly Grant[]): void {
    for (const grant of grants) {
      const partition = this.#held.get(grant.partition);
      if (partition !== undefined) partition.epoch = grant.epoch;
    }
  }

  /** Gives everything back, so that another node can take over at once. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await this.#round;
    const fences: Fence[] = [...this.#held.values()].map(({ id, epoch }) => ({ partition: id, epoch }));
    this.#held.clear();
    this.#leaseUntil = Number.NEGATIVE_INFINITY;
    await this.#host.store.release(this.#host.nodeId, fences);
  }

  #schedule(): void {
    if (this.#stopped) return;
    this.#cancel = this.#host.clock.after(this.#host.leaseMs / 4, () => {
      void this.refresh().finally(() => this.#schedule());
    });
  }

  async #guardedRenew(): Promise<void> {
    try {
      await this.#renew();
    } catch (error) {
      this.#host.failed("lease renewal", error);
    } finally {
      this.#round = undefined;
    }
  }

  async #renew(): Promise<void> {
    const { store, nodeId, leaseMs, clock } = this.#host;
    const sentAt = clock.monotonic();
    const rows = await store.heartbeat(nodeId, leaseMs);
    if (this.#stopped) return;
    this.#leaseUntil = sentAt + leaseMs; // O1: from before it was sent
    this.#renewedAt = clock.monotonic();
    const moved: Partition[] = [];
    const stray: Fence[] = [];
    let free = false;
    for (const { partition, owner, epoch } of rows) {
      this.#owners.set(partition, owner);
      const held = this.#held.get(partition);
      if (held !== undefined && owner !== nodeId) moved.push(held);
      if (owner === undefined) free = true;
      // Ours by the store, but not in use here: given up after a fenced batch, or granted in a round that failed.
      if (held === undefined && owner === nodeId) stray.push({ partition, epoch });
    }
    for (const partition of moved) this.#held.delete(partition.id); // O2
    for (const watch of this.#watches) {
      if (this.#owners.get(watch.partition) === watch.owner) continue;
      this.#watches.delete(watch);
      watch.moved();
    }
    if (moved.length > 0) this.#host.lost(moved);
    if (stray.length > 0) await this.#take(await store.settle(nodeId, stray));
    if (free || rows.length === 0) await this.#take(await store.acquire(nodeId));
  }

  async #take(grants: readonly Grant[]): Promise<void> {
    if (grants.length === 0 || this.#stopped) return;
    const partitions = grants.map((grant) => new Partition(grant));
    const open = await this.#host.prepare(partitions);
    if (this.#stopped) return;
    for (const partition of partitions) {
      this.#held.set(partition.id, partition);
      this.#owners.set(partition.id, this.#host.nodeId);
    }
    open();
  }
}
