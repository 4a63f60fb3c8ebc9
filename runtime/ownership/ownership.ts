/**
 * This node among those that share one store: it renews its lease, takes the partitions that belong on it and hands over
 * those that do not.
 *
 * Owns: when the store is asked, and the plan of who should hold what. Does not own: what is known by now
 * (`PartitionTable`), how a partition is brought to rest (`PartitionLifecycle`), the steps of a move (`Handover`).
 * Calls out: the store's `heartbeat`, `nodes`, `acquire`, `settle`, `release`; everything in `MembershipPort` and
 * `PartitionUse`.
 *
 * O1 a partition is used only under an epoch this node was granted, and only while the lease, counted from before the
 *    renewal was sent, cannot have run out (`holdsLease`). The commit's fence is what protects the data (G4); this
 *    protects reads and publishing.
 * O2 a partition that the store says is somebody else's is given up at once (`PartitionTable` T1).
 * O3 every node places all partitions by the same rows and the same rule (`place`): it takes the free ones that belong
 *    on it and hands over those that do not. Nobody decides for the others, and the store settles every race.
 */
import type { Clock } from "../base/clock.ts";
import { TroupeError } from "../message/errors.ts";
import type { Fence, Grant, NodeInfo, NodeId, Store } from "../ports/store.ts";
import { Handover, type HandoverHost, type Move } from "./handover.ts";
import type { PartitionTable } from "./partition-table.ts";
import { Partition } from "./partition.ts";
import { candidates, place } from "./placement.ts";

/** This node among those that share the store. */
export interface MembershipPort {
  /** What others may know of this node. */
  readonly info: NodeInfo;
  /** Tells a node that partitions were released for it; `undefined` where there is no way to other nodes. */
  readonly offer: ((node: NodeId, partitions: readonly number[]) => Promise<void>) | undefined;
  /** Whether this node fits to those that run. Called once, when its own info is in the store. @throws to refuse the start. */
  admit(): Promise<void>;
  /** Other nodes live now than in the last round. */
  nodesChanged(nodes: readonly NodeId[]): void;
  /** The store could not be asked in a round. */
  renewalFailed(error: unknown): void;
  /** So many partitions in use here turned out to be somebody else's. */
  lost(count: number): void;
  failed(what: string, error: unknown): void;
}

/** Brings partitions into use on this node and out of it. */
export interface PartitionUse {
  /** Reads what newly held partitions need (cursors, timers). What it resolves to is called once they are in use. */
  prepare(partitions: readonly Partition[]): Promise<() => void>;
  /** The partitions are somebody else's already. */
  dropped(partitions: readonly Partition[]): void;
  /** Lets no further turn begin. Resolves with `true` when those under way are durable, `false` after `withinMs`. */
  endTurns(partitions: readonly Partition[], withinMs: number): Promise<boolean>;
  /** Undoes `endTurns`. */
  reopen(partitions: readonly Partition[]): Promise<void>;
  /** The partitions are no longer in use here: publishes what is on its way, and saves how far it got. */
  detach(partitions: readonly Partition[]): Promise<void>;
}

export interface OwnershipParts {
  readonly nodeId: NodeId;
  readonly leaseMs: number;
  readonly clock: Clock;
  readonly store: Store;
  readonly partitions: PartitionTable;
  readonly membership: MembershipPort;
}

/** When a lease of another node ends within the next round, this long after its end is when to look. */
const AFTER_LEASE_MS = 5;
/** When somebody else was at the same rows, this long until the next look. */
const SOON_MS = 25;
/** The pause after a round that failed; it doubles, up to a quarter of the lease. */
const FIRST_PAUSE_MS = 20;

export class Ownership implements HandoverHost {
  readonly clock: Clock;
  readonly #parts: OwnershipParts;
  readonly #handover: Handover;
  readonly #table: PartitionTable;
  #use: PartitionUse | undefined;
  readonly #watches = new Set<{ readonly node: NodeId; gone(): void }>();
  #cancel: (() => void) | undefined;
  #round: Promise<void> | undefined;
  #info: NodeInfo | undefined;
  #owns: boolean;
  #stopped = false;
  #again = false;
  /** Rounds that failed, one after the other, and until when the store is left alone. */
  #failures = 0;
  #notBefore = Number.NEGATIVE_INFINITY;

  constructor(parts: OwnershipParts) {
    this.#parts = parts;
    this.#table = parts.partitions;
    this.clock = parts.clock;
    this.#owns = parts.membership.info.owns;
    this.#handover = new Handover(this);
  }

  /**
   * Announces this node, takes what is free and belongs on it, and goes on doing so until `stop`. The first round's
   * failure is thrown, and so is that of `admit`: then the node is gone again.
   *
   * @param use brings into use what was taken, and out of it what goes.
   */
  async start(use: PartitionUse): Promise<void> {
    const { store, nodeId, leaseMs, membership } = this.#parts;
    const { info } = membership;
    this.#use = use;
    // Written before the others' are read: of two that start at once, at least one sees the other.
    await store.heartbeat(nodeId, leaseMs, { ...info, owns: false });
    try {
      await this.#parts.membership.admit();
    } catch (error) {
      await store.heartbeat(nodeId, 0);
      throw error;
    }
    this.#info = info;
    await this.#renew();
    this.#schedule();
  }

  get movingCount(): number {
    return this.#handover.count;
  }

  /** Settles when a partition that is being handed over has arrived; `undefined` when none is. */
  moving(partition: number): Promise<void> | undefined {
    return this.#handover.moving(partition);
  }

  /**
   * Calls `gone` once when the node's lease has run out, as far as the store says. The returned function ends the
   * watch. For calls under way to a node that may be dead; one that lives answers, even when its partition has moved.
   */
  watch(node: NodeId, gone: () => void): () => void {
    const entry = { node, gone };
    this.#watches.add(entry);
    return () => void this.#watches.delete(entry);
  }

  /** A commit was fenced, or its outcome was settled elsewhere: stop using these partitions, then ask the store. */
  giveUp(partitions: readonly Partition[]): void {
    const lost = this.#table.remove(partitions);
    if (lost.length > 0) this.#dropped(lost);
    void this.refresh();
  }

  /** Asks the store at once, as when a call found no owner. Joins a round that is under way. */
  async refresh(): Promise<void> {
    // A store that does not answer is not asked more often the more callers wait for it.
    if (this.#stopped || this.clock.monotonic() < this.#notBefore) return;
    await (this.#round ??= this.#guardedRenew());
  }

  /** Another node has released partitions for this one. @throws {TroupeError} `unavailable` when it takes none any more. */
  async take(partitions: readonly number[]): Promise<void> {
    if (!this.#owns || this.#stopped || this.#use === undefined) {
      const why = this.#use === undefined ? "has not started yet" : "is leaving";
      throw new TroupeError("unavailable", `Cannot take partitions as the node ${this.#parts.nodeId} ${why}`);
    }
    await this.#take(await this.#parts.store.acquire(this.#parts.nodeId, partitions));
  }

  /** Says that this node is leaving, and hands over what it holds while there is somebody to take it, until `deadline`. */
  async leave(deadline: Promise<unknown>): Promise<void> {
    this.#owns = false;
    this.#info = { ...this.#parts.membership.info, owns: false };
    const handedOver = (async () => {
      await this.#round; // it may have told the others yet that this node takes partitions
      await this.refresh();
      await this.#handover.idle();
    })();
    await Promise.race([handedOver, deadline]);
  }

  /** Gives everything back, so that another node can take over at once. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await this.#round;
    await this.#handover.idle();
    await this.#parts.store.release(this.#parts.nodeId, fencesOf(this.#table.clear()));
  }

  // --- HandoverHost ---

  get partitionCount(): number {
    return this.#table.count;
  }

  due(): readonly Move[] {
    if (this.#stopped || this.#parts.membership.offer === undefined) return [];
    const plan = this.#plan();
    return this.#table.partitions().flatMap((partition) => {
      const to = plan.get(partition.id);
      return to === undefined || to === this.#parts.nodeId ? [] : [{ partition, to }];
    });
  }

  endTurns(partitions: readonly Partition[], withinMs: number): Promise<boolean> {
    return this.#inUse.endTurns(partitions, withinMs);
  }

  reopen(partitions: readonly Partition[]): Promise<void> {
    return this.#inUse.reopen(partitions);
  }

  async release(partitions: readonly Partition[]): Promise<void> {
    this.#table.released(partitions);
    await this.#inUse.detach(partitions);
    await this.#parts.store.release(this.#parts.nodeId, fencesOf(partitions));
  }

  async offer(node: NodeId, partitions: readonly Partition[]): Promise<void> {
    await this.#parts.membership.offer?.(
      node,
      partitions.map(({ id }) => id),
    );
    this.#table.takenBy(node, partitions);
  }

  async failed(error: unknown, partitions: readonly Partition[]): Promise<void> {
    // A node that leaves too, or has just died, is no news.
    const expected = error instanceof TroupeError && error.code === "unavailable";
    if (!expected) this.#parts.membership.failed("handing over partitions", error);
    this.giveUp(partitions);
    await this.#round;
  }

  // --- rounds ---

  #schedule(): void {
    if (this.#stopped) return;
    const elapsed = this.#table.sinceRenewal();
    const ends = this.#table
      .nodes()
      .map(({ id, leaseLeftMs }) =>
        id === this.#parts.nodeId ? Number.POSITIVE_INFINITY : leaseLeftMs - elapsed + AFTER_LEASE_MS,
      );
    const soonest = Math.min(this.#again ? SOON_MS : this.#parts.leaseMs / 4, ...ends);
    const pauseMs = this.#notBefore - this.clock.monotonic();
    this.#cancel = this.clock.after(Math.max(AFTER_LEASE_MS, soonest, pauseMs), () => {
      void this.refresh().finally(() => this.#schedule());
    });
  }

  async #guardedRenew(): Promise<void> {
    try {
      await this.#renew();
      this.#failures = 0;
    } catch (error) {
      const pauseMs = Math.min(this.#parts.leaseMs / 4, FIRST_PAUSE_MS * 2 ** Math.min(this.#failures++, 8));
      this.#notBefore = this.clock.monotonic() + pauseMs;
      this.#parts.membership.renewalFailed(error);
    } finally {
      this.#round = undefined;
    }
  }

  #dropped(lost: readonly Partition[]): void {
    this.#parts.membership.lost(lost.length);
    this.#use?.dropped(lost);
  }

  async #renew(): Promise<void> {
    const { store, nodeId, leaseMs } = this.#parts;
    const info = this.#info;
    const sentAt = this.clock.monotonic();
    const rows = await store.heartbeat(nodeId, leaseMs, info);
    if (this.#info === info) this.#info = undefined; // what was said stays said
    if (this.#stopped) return;
    const changed = this.#table.nodesAre(await store.nodes());
    if (this.#stopped) return;
    // Ownership.O1: from before it was sent, and in one step with what was learned: a partition that was lost is not served meanwhile.
    this.#table.leaseUntil(sentAt + leaseMs);
    const { lost, stray } = this.#table.learn(rows, (partition) => this.moving(partition) !== undefined);
    if (lost.length > 0) this.#dropped(lost); // Ownership.O2
    this.#tellWatches();
    if (changed) this.#parts.membership.nodesChanged(this.#table.nodes().map(({ id }) => id));
    this.#again = false;
    if (stray.length > 0) await this.#take(await store.settle(nodeId, stray));
    if (this.#owns) await this.#takeFree();
    this.#handover.start();
  }

  /** Nothing is held, moved or taken before `start`. */
  get #inUse(): PartitionUse {
    return this.#use as PartitionUse;
  }

  #tellWatches(): void {
    if (this.#watches.size === 0) return;
    const alive = new Set(this.#table.nodes().map((node) => node.id));
    for (const watch of this.#watches) {
      if (alive.has(watch.node)) continue;
      this.#watches.delete(watch);
      watch.gone();
    }
  }

  async #takeFree(): Promise<void> {
    const { store, nodeId, membership } = this.#parts;
    const { offer } = membership;
    const map = this.#table.map();
    if (map.length === 0 || offer === undefined) {
      // Nobody to share with: a node without a way to others takes what it can get.
      const free = map.length === 0 || map.some((row) => row.owner === undefined);
      if (free) await this.#take(await store.acquire(nodeId));
      return;
    }
    const plan = this.#plan();
    const wanted = map.flatMap(({ partition, owner }) =>
      owner === undefined && plan.get(partition) === nodeId && this.moving(partition) === undefined ? [partition] : [],
    );
    if (wanted.length === 0) return;
    const grants = await store.acquire(nodeId, wanted);
    this.#again = grants.length < wanted.length;
    await this.#take(grants);
  }

  /** Ownership.O3 */
  #plan(): ReadonlyMap<number, NodeId | undefined> {
    const { nodeId } = this.#parts;
    const others = candidates(this.#table.nodes()).filter((node) => node !== nodeId);
    const fits = candidates(this.#table.nodes()).includes(nodeId);
    const map = this.#table.map();
    const placed = place(
      this.#owns && fits ? [...others, nodeId] : others,
      map.map((row) => row.owner),
    );
    return new Map(map.map(({ partition }, i) => [partition, placed[i]]));
  }

  async #take(grants: readonly Grant[]): Promise<void> {
    if (grants.length === 0 || this.#stopped) return;
    const partitions = grants.map((grant) => new Partition(grant));
    const open = await this.#inUse.prepare(partitions);
    if (this.#stopped) return;
    // An offer and a round may overlap: a grant that is older than what is known by now would bring an old epoch back (Ownership.O2).
    const valid = grants.filter((grant) => grant.epoch >= this.#table.knownEpoch(grant.partition));
    if (valid.length < grants.length) return this.#take(valid);
    this.#table.add(partitions);
    open();
  }
}

function fencesOf(partitions: readonly Partition[]): Fence[] {
  return partitions.map(({ id, epoch }) => ({ partition: id, epoch }));
}
