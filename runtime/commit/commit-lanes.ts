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
import type { Partition } from "../ownership/partition.ts";
import type { CommitBatch, Grant, Store } from "../ports/store.ts";
import type { Relay } from "../relay/relay.ts";
import type { NodeMetrics } from "../telemetry/node-metrics.ts";
import type { StoreLog } from "../telemetry/store-log.ts";
import type { TimerService } from "../timers/timer-service.ts";
import type { FinishedTurn } from "../turn/finished-turn.ts";
import type { Watchers } from "../watch/watch-polls.ts";
import { CommitLane, type LaneHost } from "./commit-lane.ts";
import { LaneRoom } from "./lane-room.ts";

export interface CommitLanesParts {
  readonly nodeId: string;
  readonly store: Store;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly metrics: NodeMetrics | undefined;
  readonly log: StoreLog;
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
    this.#lanes = Array.from({ length: parts.lanes }, () => new CommitLane(this, new LaneRoom(parts.clock)));
  }

  /** Hands a finished turn to the lane of its partition. */
  add(turn: FinishedTurn): void {
    this.#laneOf(turn.activation.partition).add(turn);
  }

  /** How full the lane of a partition is. */
  room(partition: number): LaneRoom {
    return this.#laneOf(partition).room;
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
    return this.#parts.ownership.partition(id);
  }

  async commit(batch: CommitBatch): Promise<void> {
    const { nodeId, store, clock, metrics } = this.#parts;
    if (metrics === undefined) return store.commit(nodeId, batch);
    const since = clock.monotonic();
    await store.commit(nodeId, batch);
    metrics.commitSeconds.add((clock.monotonic() - since) / 1_000);
  }

  async settle(partitions: readonly Partition[]): Promise<readonly Grant[]> {
    const { nodeId, store, clock, randomness, ownership, log } = this.#parts;
    const fences = partitions.map(({ id, epoch }) => ({ partition: id, epoch }));
    for (let attempt = 1; ; attempt++) {
      try {
        const grants = (await store.settle(nodeId, fences)).filter((grant) => {
          // An earlier try may have raised it too. Whatever is beyond that was raised by another owner in between.
          const known = partitions.find(({ id }) => id === grant.partition);
          return known !== undefined && grant.epoch - known.epoch <= attempt;
        });
        ownership.renewEpochs(grants);
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
    this.#tell("telling watchers", () => watchers.written(turns));
    this.#tell("counting turns", () => metrics?.committed(turns, clock.now()));
    this.#tell("telling timers", () => timers.written(batch.timers));
    for (const relay of relays) {
      const reread = (): void => relay.reread(batch.fences.map(({ partition }) => partition));
      this.#tell(`telling ${relay.sink.name}`, () => relay.offer(batch.outbox, batch.fences), reread);
    }
  }

  giveUp(partitions: readonly Partition[]): void {
    this.#parts.ownership.giveUp(partitions);
  }

  monotonic(): number {
    return this.#parts.clock.monotonic();
  }

  after(ms: number, task: () => void): void {
    this.#parts.clock.after(ms, task);
  }

  commitFailed(error: unknown, turns: number): void {
    this.#parts.log.commitFailed(error, turns);
  }

  uncommitted(turns: readonly FinishedTurn[]): void {
    this.#parts.metrics?.uncommitted(turns);
  }

  #laneOf(partition: number): CommitLane {
    return this.#lanes[partition % this.#lanes.length] as CommitLane;
  }

  /** What throws here throws behind a commit that has happened: it is nothing that its turns could be told. */
  #tell(what: string, tell: () => void, otherwise?: () => void): void {
    try {
      tell();
    } catch (error) {
      this.#parts.log.failed(what, error);
      otherwise?.();
    }
  }
}
