/**
 * Partitions of one store come into use on this node, and leave it.
 *
 * Owns: which partitions are about to go, and that nothing of them runs any more when they do. Does not own: who holds
 * what, and when it moves (`Ownership`, `Handover`); what each part does about it (the partition listeners).
 * Calls in: everything in `PartitionUse`. Calls out: the partition listeners, the actors in memory.
 *
 * B1 an actor never outlives the ownership it was loaded under: another node may have written since.
 * B2 before a partition is released no turn begins in it, those under way are durable, and its cursors are saved.
 */
import type { ActivationDirectory } from "../activation/activation-directory.ts";
import type { Clock } from "../base/clock.ts";
import type { PartitionUse } from "../ownership/ownership.ts";
import type { PartitionListener } from "../ownership/partition-listener.ts";
import type { PartitionTable } from "../ownership/partition-table.ts";
import { movingError, type Partition } from "../ownership/partition.ts";
import type { StoreLog } from "../telemetry/store-log.ts";

export interface PartitionLifecycleParts {
  readonly clock: Clock;
  readonly log: StoreLog;
  readonly partitions: PartitionTable;
  readonly actors: ActivationDirectory;
  /** Told of each change, in this order. */
  readonly listeners: readonly PartitionListener[];
}

/** How often it is looked whether turns have ended. */
const ENDED_POLL_MS = 2;

export class PartitionLifecycle implements PartitionUse {
  readonly #parts: PartitionLifecycleParts;
  readonly #closing = new Set<number>();

  constructor(parts: PartitionLifecycleParts) {
    this.#parts = parts;
  }

  /** Partitions that are about to go: no further turn begins in them (PartitionLifecycle.B2). */
  get closing(): ReadonlySet<number> {
    return this.#closing;
  }

  // --- partitions come ---

  async prepare(partitions: readonly Partition[]): Promise<() => void> {
    const { listeners, log } = this.#parts;
    const opened = await Promise.all(listeners.map(async (listener) => listener.opening?.(partitions)));
    return () => {
      this.#closed(idsOf(partitions), "fresh"); // PartitionLifecycle.B1
      for (const open of opened) open?.();
      log.acquired(partitions.length, this.#parts.partitions.held().length);
    };
  }

  // --- partitions go ---

  async endTurns(partitions: readonly Partition[], withinMs: number): Promise<boolean> {
    const { actors, clock } = this.#parts;
    const ids = idsOf(partitions);
    for (const id of ids) this.#closing.add(id);
    for (const listener of this.#parts.listeners) listener.closing?.(ids);
    const until = clock.monotonic() + withinMs;
    let busy = actors.in(ids);
    for (const activation of busy) activation.close(movingError());
    for (;;) {
      busy = busy.filter((activation) => activation.busy);
      // A turn that ran may have called others here meanwhile: they are looked at once it has ended.
      if (busy.length === 0) busy = actors.in(ids).filter((activation) => activation.busy);
      if (busy.length === 0) return true;
      if (clock.monotonic() >= until) return false;
      await new Promise<void>((resolve) => clock.after(ENDED_POLL_MS, resolve));
    }
  }

  async reopen(partitions: readonly Partition[]): Promise<void> {
    const ids = idsOf(partitions);
    for (const id of ids) this.#closing.delete(id);
    for (const listener of this.#parts.listeners) await listener.reopening?.(ids);
  }

  async detach(partitions: readonly Partition[]): Promise<void> {
    const { listeners, log } = this.#parts;
    const ids = idsOf(partitions);
    for (const id of ids) this.#closing.delete(id);
    this.#closed(ids, "released");
    for (const listener of listeners) await listener.released?.(ids); // PartitionLifecycle.B2
    log.released(ids.size, this.#parts.partitions.held().length);
  }

  dropped(partitions: readonly Partition[]): void {
    const ids = idsOf(partitions);
    for (const id of ids) this.#closing.delete(id);
    this.#closed(ids, "lost");
    this.#parts.log.lost(ids.size, this.#parts.partitions.count);
  }

  #closed(ids: ReadonlySet<number>, why: "fresh" | "lost" | "released"): void {
    for (const listener of this.#parts.listeners) listener.closed?.(ids, why);
  }
}

function idsOf(partitions: readonly Partition[]): ReadonlySet<number> {
  return new Set(partitions.map(({ id }) => id));
}
