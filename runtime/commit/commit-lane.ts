/**
 * Writes many finished turns in one fenced transaction.
 *
 * Owns: the order of commits of its partitions, and their sequence numbers. Does not own: the partitions' leases.
 * Calls in: `add`, `idle`, `stop`. Calls out: the store's `commit` and `settle`, `Ownership.giveUp`, the listeners.
 *
 * L1 one commit is under way at a time; what finishes meanwhile gathers and goes into the next one.
 * L2 sequence numbers are given when a batch is put together and kept only if it commits: they stay contiguous (G6).
 * L3 a gate opens only after the commit that holds its turn (G3).
 * L4 when the outcome of a commit is unknown, the epochs are raised before it is read: no straggler can land later (G4).
 * L5 a turn that cannot be written fails alone with its actor; its neighbours in the batch are written without it (G8).
 * L6 a turn is written only while its actor is in use: what ran before its partition was lost is not written after the
 *    partition was taken again, when another node may have written meanwhile (G4).
 */

import { whenIdleNow } from "../base/event-loop.ts";
import { TroupeError } from "../message/errors.ts";
import type { Ownership } from "../ownership/ownership.ts";
import type { PartitionTable } from "../ownership/partition-table.ts";
import type { Partition } from "../ownership/partition.ts";
import { type CommitBatch, FencedError, OutcomeUnknownError } from "../ports/store.ts";
import type { NodeMetrics } from "../telemetry/node-metrics.ts";
import type { FinishedTurn, TurnOwner } from "../turn/finished-turn.ts";
import { buildBatch } from "./batch.ts";
import type { CommitListener } from "./commit-listener.ts";
import { settle, type SettleParts } from "./settle.ts";

/** What a lane works with. */
export interface CommitLaneParts extends SettleParts {
  readonly metrics: NodeMetrics | undefined;
  readonly partitions: PartitionTable;
  /** Told of partitions that this node does not hold, or not under the epochs it knows. */
  readonly ownership: Pick<Ownership, "giveUp">;
  /** Told of what is durable, in this order. */
  readonly listeners: readonly CommitListener[];
}

/** More turns than this wait for the next transaction: bounds its size and its time. */
const MAX_BATCH_TURNS = 2_000;

type Outcome =
  | { readonly kind: "written" }
  | { readonly kind: "failed"; readonly error: TroupeError; readonly splittable: boolean };

export class CommitLane {
  readonly #parts: CommitLaneParts;
  /** Resolves once everything that is ready to run now has run. */
  readonly #everythingRan: () => Promise<void>;
  #gathered: FinishedTurn[] = [];
  #running: Promise<void> | undefined;
  #stopping = false;

  constructor(parts: CommitLaneParts) {
    this.#parts = parts;
    this.#everythingRan = parts.clock.idle?.bind(parts.clock) ?? whenIdleNow;
  }

  add(turn: FinishedTurn): void {
    this.#gathered.push(turn);
    this.#running ??= this.#run();
  }

  /** Resolves when nothing is left to write. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  /** The node stops: a store that does not answer is asked a few times more. */
  stop(): void {
    this.#stopping = true;
  }

  async #run(): Promise<void> {
    for (;;) {
      // Callers that were just answered ask again at once: waiting for them fills the batch, and a batch that leaves
      // with the first of them alone would make all others wait for one disk flush more.
      await this.#everythingRan();
      if (this.#gathered.length === 0) break;
      const turns = this.#gathered.splice(0, MAX_BATCH_TURNS);
      try {
        await this.#write(turns);
      } catch (error) {
        // Not expected: `#write` answers for its errors. Whatever it was, nobody may wait for ever.
        this.#parts.log.commitFailed(error, turns.length);
        this.#fail(
          turns,
          new TroupeError("commit_failed", "Cannot commit the turn as its lane failed", { cause: error }),
        );
      }
    }
    this.#running = undefined;
  }

  async #write(turns: readonly FinishedTurn[]): Promise<void> {
    const outcome = await this.#attempt(turns);
    if (outcome.kind === "written") return;
    const groups = outcome.splittable ? groupByActor(turns) : [turns];
    if (groups.length === 1) {
      this.#fail(turns, outcome.error);
      return;
    }
    // L5: find the actor whose turn cannot be written by writing each actor's turns alone.
    for (const group of groups) {
      const alone = await this.#attempt(group);
      if (alone.kind === "failed") this.#fail(group, alone.error);
    }
  }

  async #attempt(turns: readonly FinishedTurn[]): Promise<Outcome> {
    const partitions = new Map<number, Partition>();
    for (const { activation } of turns) {
      const partition = this.#parts.partitions.partition(activation.partition);
      if (partition === undefined || activation.gone) return fencedOutcome(turns); // L6
      partitions.set(partition.id, partition);
    }
    const batch = buildBatch(turns, partitions);
    try {
      await this.#commit(batch);
    } catch (error) {
      return this.#explain(error, turns, batch, partitions);
    }
    this.#written(turns, batch, partitions);
    return { kind: "written" };
  }

  async #commit(batch: CommitBatch): Promise<void> {
    const { nodeId, store, clock, metrics } = this.#parts;
    if (metrics === undefined) return store.commit(nodeId, batch);
    const since = clock.monotonic();
    await store.commit(nodeId, batch);
    metrics.commitSeconds.add((clock.monotonic() - since) / 1_000);
  }

  async #explain(
    error: unknown,
    turns: readonly FinishedTurn[],
    batch: CommitBatch,
    partitions: ReadonlyMap<number, Partition>,
  ): Promise<Outcome> {
    this.#parts.log.commitFailed(error, turns.length);
    if (error instanceof FencedError) {
      this.#parts.ownership.giveUp([...partitions.values()]);
      return fencedOutcome(turns);
    }
    if (!(error instanceof OutcomeUnknownError)) {
      const failed = new TroupeError("commit_failed", "Cannot commit the turn as the store refused it", {
        cause: error,
      });
      return { kind: "failed", error: failed, splittable: true };
    }
    const before = new Map([...partitions.values()].map((p) => [p.id, p.commitSeq]));
    const grants = await settle(this.#parts, [...partitions.values()], () => this.#stopping); // L4
    this.#parts.partitions.renewEpochs(grants);
    const held = grants.filter((grant) => partitions.has(grant.partition));
    const lost = [...partitions.values()].filter((p) => !held.some((grant) => grant.partition === p.id));
    if (lost.length > 0) this.#parts.ownership.giveUp(lost);
    const witness = held[0];
    if (witness === undefined) {
      const unknown =
        "Cannot tell whether the turn was committed, as its partition has moved: ask again with the same message id";
      return {
        kind: "failed",
        error: new TroupeError("deadline_exceeded", unknown, { cause: error }),
        splittable: false,
      };
    }
    // All partitions of a batch move together, so any one of them tells.
    if (witness.commitSeq > (before.get(witness.partition) ?? 0)) {
      this.#written(turns, batch, partitions);
      return { kind: "written" };
    }
    const failed = new TroupeError("commit_failed", "Cannot commit the turn as the connection to the store was lost", {
      cause: error,
    });
    return { kind: "failed", error: failed, splittable: false };
  }

  #written(turns: readonly FinishedTurn[], batch: CommitBatch, partitions: ReadonlyMap<number, Partition>): void {
    const kept = (id: number): boolean => this.#parts.partitions.partition(id) === partitions.get(id);
    let moved = false;
    for (const fence of batch.fences) {
      const partition = partitions.get(fence.partition);
      if (partition === undefined) continue;
      partition.commitSeq++;
      partition.lastSeq = fence.lastSeq; // L2
      moved ||= !kept(fence.partition);
    }
    for (const turn of turns) turn.activation.committed(turn);
    // The answer may come after a partition was lost, or taken again: its timers may have been handled elsewhere since.
    const news = moved ? { ...batch, timers: batch.timers.filter((write) => kept(write.partition)) } : batch;
    const { metrics, clock, listeners } = this.#parts;
    metrics?.committed(turns, clock.now());
    for (const listener of listeners) listener.written(turns, news);
    for (const turn of turns) turn.open(); // L3
  }

  /** Fails the turns, and with them every gathered turn that was built on one of them. */
  #fail(turns: readonly FinishedTurn[], error: TroupeError): void {
    const actors = new Set<TurnOwner>(turns.map((turn) => turn.activation));
    const built = this.#gathered.filter((turn) => actors.has(turn.activation));
    this.#gathered = this.#gathered.filter((turn) => !actors.has(turn.activation));
    for (const activation of actors) activation.reload();
    const dropped = [...turns, ...built];
    this.#parts.metrics?.uncommitted(dropped);
    for (const turn of dropped) turn.fail(error);
  }
}

function fencedOutcome(turns: readonly FinishedTurn[]): Outcome {
  const address = turns[0]?.activation.address ?? "the actor";
  const message = `Cannot commit the turn of ${address} as another node may own its partition now`;
  return { kind: "failed", error: new TroupeError("fenced", message), splittable: turns.length > 1 };
}

function groupByActor(turns: readonly FinishedTurn[]): FinishedTurn[][] {
  const groups = new Map<TurnOwner, FinishedTurn[]>();
  for (const turn of turns) {
    const group = groups.get(turn.activation);
    if (group === undefined) groups.set(turn.activation, [turn]);
    else group.push(turn);
  }
  return [...groups.values()];
}
