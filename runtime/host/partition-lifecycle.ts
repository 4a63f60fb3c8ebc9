/**
 * Partitions of one store come into use on this node, and leave it.
 *
 * Owns: what is made ready before a partition is used and brought to rest before it goes, and which ones are about to go.
 * Does not own: who holds what, and when it moves (`Ownership`, `Handover`).
 * Calls in: everything in `OwnershipHost`. Calls out: the actors, timers, relays, pauses, watchers and the index filler of
 * the store.
 *
 * B1 an actor never outlives the ownership it was loaded under: another node may have written since.
 * B2 before a partition is released no turn begins in it, those under way are durable, and its cursors are saved.
 */
import type { ActiveActors } from "../activation/activation-directory.ts";
import type { AnyActorType } from "../actor/any-actor.ts";
import type { Clock } from "../base/clock.ts";
import type { HeldActors } from "../control/paused-actors.ts";
import type { IndexFiller } from "../indexing/filler.ts";
import { PARTITION_COUNT } from "../message/address.ts";
import type { OwnershipHost } from "../ownership/ownership.ts";
import { movingError, type Partition } from "../ownership/partition.ts";
import type { NodeCard, NodeId, Store } from "../ports/store.ts";
import type { Relay } from "../relay/relay.ts";
import type { StoreLog } from "../telemetry/store-log.ts";
import type { TimerRead, TimerService } from "../timers/timer-service.ts";
import type { Watchers } from "../watch/watch-polls.ts";
import type { NodeServices } from "./node-services.ts";

export interface RebalancingParts {
  readonly node: NodeServices;
  readonly store: Store;
  /** The store's name among those of the node. */
  readonly storeKey: string;
  readonly types: readonly AnyActorType[];
  readonly log: StoreLog;
  readonly actors: ActiveActors;
  readonly watchers: Watchers;
  readonly held: HeldActors;
  readonly timers: TimerService;
  readonly relays: readonly Relay[];
  readonly index: IndexFiller;
  /** How many partitions this node holds. */
  heldCount(): number;
}

/** How often it is looked whether turns have ended, and how long what is on its way to a broker is waited for. */
const ENDED_POLL_MS = 2;
const DETACH_MS = 100;

export class Rebalancing implements OwnershipHost {
  readonly nodeId: NodeId;
  readonly leaseMs: number;
  readonly clock: Clock;
  readonly store: Store;
  readonly #parts: RebalancingParts;
  readonly #closing = new Set<number>();

  constructor(parts: RebalancingParts) {
    this.#parts = parts;
    this.nodeId = parts.node.nodeId;
    this.leaseMs = parts.node.leaseMs;
    this.clock = parts.node.clock;
    this.store = parts.store;
  }

  /** Partitions that are about to go: no further turn begins in them (B2). */
  get closing(): ReadonlySet<number> {
    return this.#closing;
  }

  // --- this node among the others ---

  get card(): NodeCard {
    const { types, node } = this.#parts;
    return {
      owns: node.owns,
      address: node.address(),
      types: types.map(({ type }) => type).toSorted(),
      leaseMs: node.leaseMs,
      ...(node.contracts === undefined ? {} : { contracts: node.contracts.describe(types) }),
    };
  }

  get offer(): OwnershipHost["offer"] {
    const { node, storeKey } = this.#parts;
    const { offer } = node;
    return offer === undefined ? undefined : (to, partitions) => offer(to, storeKey, partitions);
  }

  async admit(): Promise<void> {
    const { contracts } = this.#parts.node;
    if (contracts === undefined) return;
    const running = (await this.store.contracts()).filter(({ node }) => node !== this.nodeId);
    contracts.compare(contracts.describe(this.#parts.types), running);
  }

  nodesChanged(nodes: readonly NodeId[]): void {
    this.#parts.log.nodesChanged(nodes);
  }

  failed(what: string, error: unknown): void {
    this.#parts.log.failed(what, error);
  }

  // --- partitions come ---

  async prepare(partitions: readonly Partition[]): Promise<() => void> {
    const { relays, timers, held, index, log } = this.#parts;
    const ids = partitions.map((partition) => partition.id);
    const [cursors, timerRows, paused, fillIndex] = await Promise.all([
      this.store.cursors(ids),
      timers.read(ids),
      this.store.paused(ids),
      index.prepare(partitions),
    ]);
    const saved = new Map(cursors.map(({ sink, partition, seq }) => [`${sink}/${partition}`, seq]));
    return () => {
      this.#forget(new Set(ids), timerRows); // B1
      for (const relay of relays) for (const id of ids) relay.open(id, saved.get(`${relay.sink.name}/${id}`) ?? 0);
      held.load(paused);
      timers.load(timerRows);
      fillIndex();
      log.acquired(ids.length, this.#parts.heldCount());
    };
  }

  // --- partitions go ---

  async endTurns(partitions: readonly Partition[], withinMs: number): Promise<boolean> {
    const { actors, timers } = this.#parts;
    const ids = new Set(partitions.map((partition) => partition.id));
    for (const id of ids) this.#closing.add(id);
    timers.drop(ids);
    const until = this.clock.monotonic() + withinMs;
    let busy = actors.in(ids);
    for (const activation of busy) activation.close(movingError());
    for (;;) {
      busy = busy.filter((activation) => activation.busy);
      // A turn that ran may have called others here meanwhile: they are looked at once it has ended.
      if (busy.length === 0) busy = actors.in(ids).filter((activation) => activation.busy);
      if (busy.length === 0) return true;
      if (this.clock.monotonic() >= until) return false;
      await new Promise<void>((resolve) => this.clock.after(ENDED_POLL_MS, resolve));
    }
  }

  async reopen(partitions: readonly Partition[]): Promise<void> {
    const ids = partitions.map(({ id }) => id);
    for (const id of ids) this.#closing.delete(id);
    this.#parts.timers.load(await this.#parts.timers.read(ids));
  }

  async detach(partitions: readonly Partition[]): Promise<void> {
    const { relays, log } = this.#parts;
    const ids = partitions.map(({ id }) => id);
    for (const id of ids) this.#closing.delete(id);
    this.#forget(new Set(ids));
    const left = await Promise.all(relays.map((relay) => relay.withdraw(ids, DETACH_MS)));
    const rows = left.flat();
    if (rows.length > 0) await this.store.saveCursors(rows); // B2
    log.released(ids.length, this.#parts.heldCount());
  }

  dropped(partitions: readonly Partition[]): void {
    const { relays, log } = this.#parts;
    const ids = new Set(partitions.map((partition) => partition.id));
    for (const id of ids) this.#closing.delete(id);
    for (const relay of relays) for (const id of ids) relay.close(id);
    this.#forget(ids);
    log.lost(ids.size, PARTITION_COUNT);
  }

  /** Takes the actors of partitions out of memory, and what is known of their timers and pauses. */
  #forget(partitions: ReadonlySet<number>, timersRead?: TimerRead): void {
    const { timers, held, watchers, actors } = this.#parts;
    timers.drop(partitions, timersRead);
    held.drop(partitions);
    watchers.lost(partitions, movingError());
    actors.discard(movingError(), "moved", partitions);
  }
}
