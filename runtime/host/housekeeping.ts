/**
 * What a node does for one store every now and then: saves cursors, removes what is older than it has to be kept, and sends
 * actors out of memory that nobody uses.
 */

import type { ActorLru } from "../activation/lru.ts";
import type { Clock } from "../base/clock.ts";
import type { PartitionTable } from "../ownership/partition-table.ts";
import type { Store } from "../ports/store.ts";
import type { Relays } from "../relay/relays.ts";
import type { StoreLog } from "../telemetry/store-log.ts";

export interface HousekeepingParts {
  readonly clock: Clock;
  readonly store: Store;
  readonly log: StoreLog;
  readonly relays: Relays;
  readonly partitions: PartitionTable;
  readonly residents: ActorLru;
  /** No actor of the store stays in memory unused for less. */
  readonly shortestIdleMs: number;
  /** How long published events, and replies by message id, are kept. */
  readonly retentionMs: number;
}

const CURSOR_SAVE_MS = 250;
const SWEEP_MS = 1_000;
const PRUNE_MS = 60_000;

export class Housekeeping {
  readonly #parts: HousekeepingParts;
  readonly #cancels = new Set<() => void>();
  #stopped = false;

  constructor(parts: HousekeepingParts) {
    this.#parts = parts;
  }

  start(): void {
    const { relays, residents, shortestIdleMs } = this.#parts;
    this.#every(CURSOR_SAVE_MS, () => relays.saveCursors());
    this.#every(SWEEP_MS, async () => residents.sweep(shortestIdleMs));
    this.#every(PRUNE_MS, () => this.#prune());
  }

  stop(): void {
    this.#stopped = true;
    for (const cancel of this.#cancels) cancel();
  }

  async #prune(): Promise<void> {
    const { clock, store, log, relays, retentionMs } = this.#parts;
    const before = clock.now() - retentionMs;
    const held = this.#parts.partitions.held();
    if (held.length === 0) return;
    const sinks = relays.all.map((relay) => relay.sink.name);
    try {
      await store.pruneOutbox(held, sinks, before);
      await store.pruneReplies(before);
    } catch (error) {
      log.failed("pruning", error);
    }
  }

  #every(ms: number, task: () => Promise<void>): void {
    const arm = (): void => {
      if (this.#stopped) return;
      const cancel = this.#parts.clock.after(ms, () => {
        this.#cancels.delete(cancel);
        void task().finally(arm);
      });
      this.#cancels.add(cancel);
    };
    arm();
  }
}
