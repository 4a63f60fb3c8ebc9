/**
 * What a node does for one store every now and then: saves cursors, removes what is older than it has to be kept, and sends
 * actors out of memory that nobody uses.
 */

import type { ActorLru } from "../activation/lru.ts";
import type { Clock } from "../base/clock.ts";
import type { PartitionTable } from "../ownership/partition-table.ts";
import type { Store } from "../ports/store.ts";
import type { Relays } from "../relay/relays.ts";
import { SEND_SINK } from "../relay/send-sink.ts";
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
  /** All stores of this node: a send may come from any of them. */
  readonly stores: () => readonly Store[];
  /** How long published events, and replies by message id, are kept. */
  readonly retentionMs: number;
}

const CURSOR_SAVE_MS = 250;
const SWEEP_MS = 1_000;
const PRUNE_MS = 60_000;
/** Rows that go with one statement. */
const PRUNE_ROWS = 2_000;
const PRUNE_PAUSE_MS = 20;
/** A sink that no node has had for this long holds up the pruning no more. */
const SINK_FORGOTTEN_MS = 7 * 86_400_000;
/** What was begun on a node that died, and never came again, is remembered for this long. */
const BEGUN_KEPT_MS = 7 * 86_400_000;
/** The clocks of two nodes differ by less. */
const CLOCKS_DIFFER_MS = 60_000;

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

  /** Says which sinks this node has, so that no node prunes what one of them has not published. */
  async registerSinks(): Promise<void> {
    const { store, relays, clock } = this.#parts;
    await store.registerSinks(
      relays.all.map(({ sink }) => ({ name: sink.name, kind: sink.accepts })),
      clock.now(),
    );
  }

  async #prune(): Promise<void> {
    const { clock, store, log, retentionMs } = this.#parts;
    const before = clock.now() - retentionMs;
    const held = this.#parts.partitions.held();
    if (held.length === 0) return;
    try {
      await this.registerSinks();
      for (const name of await store.forgetSinks(clock.now() - SINK_FORGOTTEN_MS)) log.sinkForgotten(name);
      await this.#untilNone(() => store.pruneOutbox(held, before, PRUNE_ROWS));
      const sentBefore = await this.#sentBefore(before);
      await this.#untilNone(() => store.pruneReplies(before, sentBefore, PRUNE_ROWS));
      await store.pruneBegun(clock.now() - BEGUN_KEPT_MS);
    } catch (error) {
      log.failed("pruning", error);
    }
  }

  /** Replies to sends are kept while a send from before them, of any store, may still come again. */
  async #sentBefore(before: number): Promise<number> {
    const oldest = await Promise.all(this.#parts.stores().map((store) => store.oldestAhead(SEND_SINK, "send")));
    return Math.min(before, ...oldest.map((at) => (at ?? before) - CLOCKS_DIFFER_MS));
  }

  /** Bounded work at a time, with room for others in between, until it is done. */
  async #untilNone(prune: () => Promise<number>): Promise<void> {
    while (!this.#stopped && (await prune()) > 0) {
      await new Promise<void>((resolve) => void this.#parts.clock.after(PRUNE_PAUSE_MS, resolve));
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
