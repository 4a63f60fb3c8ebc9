/**
 * The commit lanes of one store on this node, and who hears of what they wrote.
 *
 * Owns: which lane writes a partition, and how the store is asked. Does not own: batches and their order (`CommitLane`).
 * Calls in: `add`, `drained`, `stop`. Calls out: the store's `commit` and `settle`, `Ownership`; and, before any caller is
 * answered, the watchers, timers and relays.
 */
import { backoffMs } from "../base/backoff.ts";
import type { Clock } from "../base/clock.ts";
import { whenIdleNow } from "../base/event-loop.ts";
import type { Randomness } from "../base/randomness.ts";
import type { Ownership } from "../ownership/ownership.ts";
import type { PartitionTable } from "../ownership/partition-table.ts";
import type { Partition } from "../ownership/partition.ts";
import type { CommitBatch, Grant, Store } from "../ports/store.ts";
import type { Relay } from "../relay/relay.ts";
import type { NodeMetrics } from "../telemetry/node-metrics.ts";
import type { StoreLog } from "../telemetry/store-log.ts";
import type { TimerService } from "../timers/timer-service.ts";
import type { FinishedTurn } from "../turn/finished-turn.ts";
import type { Watchers } from "../watch/watch-polls.ts";
import { CommitLane, type LaneHost } from "./commit-lane.ts";

export interface CommitLanesParts {
  readonly nodeId: string;
  readonly store: Store;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly metrics: NodeMetrics | undefined;
  readonly log: StoreLog;
  readonly partitions: PartitionTable;
  readonly ownership: Ownership;
  readonly watchers: Watchers;
  readonly timers: TimerService;
  readonly relays: readonly Relay[];
  /** How many lanes there are. */
  readonly lanes: number;
}

/** How often an unknown outcome is asked for while the node stops. */
const TRIES_AT_STOP = 3;

export class CommitLanes implements LaneHost {
  readonly idle: () => Promise<void>;
  readonly #parts: CommitLanesParts;
  readonly #lanes: readonly CommitLane[];
  #stopping = false;

  constructor(parts: CommitLanesParts) {
    this.#parts = parts;
    this.idle = parts.clock.idle?.bind(parts.clock) ?? whenIdleNow;
    this.#lanes = Array.from({ length: parts.lanes }, () => new CommitLane(this));
  }

  /** Hands a finished turn to the lane of its partition. */
  add(turn: FinishedTurn): void {
    (this.#lanes[turn.activation.partition % this.#lanes.length] as CommitLane).add(turn);
  }

  /** Resolves when nothing is left to write. */
  async drained(): Promise<void> {
    await Promise.all(this.#lanes.map((lane) => lane.idle()));
  }

  /** The node stops: a store that does not answer is asked a few times more. */
  stop(): void {
    this.#stopping = true;
  }

  // --- LaneHost ---

  partition(id: number): Partition | undefined {
    return this.#parts.partitions.partition(id);
  }

  async commit(batch: CommitBatch): Promise<void> {
    const { nodeId, store, clock, metrics } = this.#parts;
    if (metrics === undefined) return store.commit(nodeId, batch);
    const since = clock.monotonic();
    await store.commit(nodeId, batch);
    metrics.commitSeconds.add((clock.monotonic() - since) / 1_000);
  }

  async settle(partitions: readonly Partition[]): Promise<readonly Grant[]> {
    const { nodeId, store, clock, randomness, partitions: table, log } = this.#parts;
    const fences = partitions.map(({ id, epoch }) => ({ partition: id, epoch }));
    for (let attempt = 1; ; attempt++) {
      try {
        const grants = await store.settle(nodeId, fences);
        table.renewEpochs(grants);
        return grants;
      } catch (error) {
        log.failed("settling a commit", error);
        if (this.#stopping && attempt > TRIES_AT_STOP) return [];
        await new Promise<void>((resolve) => clock.after(backoffMs(attempt, randomness, 50, 2_000), resolve));
      }
    }
  }

  written(turns: readonly FinishedTurn[], batch: CommitBatch): void {
    const { watchers, metrics, timers, relays, clock } = this.#parts;
    watchers.written(turns);
    metrics?.committed(turns, clock.now());
    timers.written(batch.timers);
    for (const relay of relays) relay.offer(batch.outbox, batch.fences);
  }

  giveUp(partitions: readonly Partition[]): void {
    this.#parts.ownership.giveUp(partitions);
  }

  commitFailed(error: unknown, turns: number): void {
    this.#parts.log.commitFailed(error, turns);
  }

  uncommitted(turns: readonly FinishedTurn[]): void {
    this.#parts.metrics?.uncommitted(turns);
  }
}
