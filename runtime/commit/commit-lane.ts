/**
 * Writes many finished turns in one fenced transaction.
 *
 * Owns: the order of commits of its partitions, and their sequence numbers. Does not own: the partitions' leases, and how
 * much may wait here (`LaneRoom`).
 * Calls in: `add`, `idle`, `stop`. Calls out: the store's `commit` and `settle`, `Ownership.giveUp`, the listeners.
 *
 * L1 one commit is under way at a time; what finishes meanwhile gathers and goes into the next one.
 * L2 sequence numbers are given when a batch is put together and kept only if it commits: they stay contiguous (G6).
 * L3 a gate opens only after the commit that holds its turn (G3). What its listeners throw after it changes nothing of that.
 * L4 only the store's own refusal and its fence mean that nothing was written. After every other error the epochs are raised
 *    before it is read whether the commit happened: no straggler can land later (G4).
 * L5 a turn that cannot be written fails alone with its actor; its neighbours in the batch are written without it (G8). An
 *    actor that was refused is set apart (`SetApart`): it costs its neighbours nothing from then on.
 * L6 a turn is written only while its actor is in use: what ran before its partition was lost is not written after the
 *    partition was taken again, when another node may have written meanwhile (G4).
 * L7 a partition that was lost costs the turns of that partition; the others of the batch are written (G8).
 */

import { whenIdleNow } from "../base/event-loop.ts";
import { MAX_BATCH_LENGTH } from "../base/limits.ts";
import { TroupeError } from "../message/errors.ts";
import type { Ownership } from "../ownership/ownership.ts";
import type { PartitionTable } from "../ownership/partition-table.ts";
import type { Partition } from "../ownership/partition.ts";
import type { Probe } from "../ports/probe.ts";
import { type CommitBatch, CommitRefusedError, FencedError, type Grant } from "../ports/store.ts";
import type { NodeMetrics } from "../telemetry/node-metrics.ts";
import type { NodeSpans } from "../telemetry/node-spans.ts";
import type { FinishedTurn, TurnOwner } from "../turn/finished-turn.ts";
import { buildBatch } from "./batch.ts";
import type { CommitListener } from "./commit-listener.ts";
import { LaneRoom, MAX_BATCH_TURNS } from "./lane-room.ts";
import { SetApart } from "./set-apart.ts";
import { settle, type SettleParts } from "./settle.ts";

/** What a lane works with. */
export interface CommitLaneParts extends SettleParts {
  readonly metrics: NodeMetrics | undefined;
  readonly spans: NodeSpans | undefined;
  readonly partitions: PartitionTable;
  /** Told of partitions that this node does not hold, or not under the epochs it knows. */
  readonly ownership: Pick<Ownership, "giveUp">;
  readonly probe?: Probe | undefined;
  /** Told of what is durable, in this order. */
  readonly listeners: readonly CommitListener[];
}

/** How often a batch is tried again without the partitions that were lost. */
const MAX_FENCED = 3;
/** When so many tries of one batch were refused and none was taken, the store refuses everything: no actor is to blame. */
const MAX_REFUSALS = 24;

/** The search for what the store refuses in one batch. */
interface Search {
  refused: number;
  written: number;
}

export class CommitLane {
  readonly room: LaneRoom;
  readonly #parts: CommitLaneParts;
  /** Resolves once everything that is ready to run now has run. */
  readonly #everythingRan: () => Promise<void>;
  readonly #apart: SetApart;
  #gathered: FinishedTurn[] = [];
  #running: Promise<void> | undefined;
  #stopping = false;

  constructor(parts: CommitLaneParts) {
    const { clock } = parts;
    this.#parts = parts;
    this.#everythingRan = clock.idle?.bind(clock) ?? whenIdleNow;
    this.room = new LaneRoom(clock);
    this.#apart = new SetApart(
      (ms, task) => clock.after(ms, task),
      () => this.#start(),
    );
  }

  add(turn: FinishedTurn): void {
    this.room.joined(turn.length);
    if (!this.#apart.takes(turn)) this.#gathered.push(turn);
    this.#start();
  }

  /** Resolves when nothing is left to write. */
  async idle(): Promise<void> {
    for (;;) {
      this.#apart.hurry();
      if (this.#apart.ready) this.#start();
      if (this.#running === undefined) return;
      await this.#running;
    }
  }

  /** The node stops: a store that does not answer is asked a few times more. */
  stop(): void {
    this.#stopping = true;
  }

  #start(): void {
    this.#running ??= this.#run();
  }

  async #run(): Promise<void> {
    for (;;) {
      // Callers that were just answered ask again at once: waiting for them fills the batch, and a batch that leaves
      // with the first of them alone would make all others wait for one disk flush more.
      await this.#everythingRan();
      const turns = this.#take();
      const apart = this.#apart.take();
      if (turns.length === 0 && apart === undefined) break;
      if (turns.length > 0) await this.#writeAll(turns);
      if (apart !== undefined) await this.#writeAll(apart);
    }
    this.#running = undefined;
  }

  /** The turns of the next transaction: bounded in number and size. */
  #take(): FinishedTurn[] {
    let count = 0;
    for (let length = 0; count < this.#gathered.length && count < MAX_BATCH_TURNS; count++) {
      length += (this.#gathered[count] as FinishedTurn).length;
      if (length > MAX_BATCH_LENGTH && count > 0) break;
    }
    return count === this.#gathered.length ? this.#takeGathered() : this.#gathered.splice(0, count);
  }

  #takeGathered(): FinishedTurn[] {
    const turns = this.#gathered;
    this.#gathered = [];
    return turns;
  }

  async #writeAll(turns: readonly FinishedTurn[]): Promise<void> {
    const since = this.#parts.clock.monotonic();
    try {
      await this.#write(turns, { refused: 0, written: 0 }, 0);
    } catch (error) {
      // Not expected: `#write` answers for its errors. Whatever it was, nobody may wait for ever.
      this.#parts.log.commitFailed(error, turns.length);
      this.#fail(
        turns,
        new TroupeError("commit_failed", "Cannot commit the turn as its lane failed", { cause: error }),
      );
    }
    this.room.took(turns.length, this.#parts.clock.monotonic() - since);
    this.room.left(turns);
  }

  async #write(turns: readonly FinishedTurn[], search: Search, fenced: number): Promise<void> {
    const writable = this.#failMoved(turns); // CommitLane.L6, CommitLane.L7
    if (writable.length === 0) return;
    const partitions = new Map<number, Partition>();
    for (const { activation } of writable) {
      const id = activation.partition;
      if (!partitions.has(id)) partitions.set(id, this.#parts.partitions.partition(id) as Partition);
    }
    const batch = buildBatch(writable, partitions);
    try {
      await this.#commit(batch, writable);
    } catch (error) {
      this.#parts.log.commitFailed(error, writable.length);
      if (error instanceof CommitRefusedError) await this.#refused(writable, search, error);
      else if (error instanceof FencedError) await this.#fenced(writable, search, fenced, partitions);
      else await this.#unknown(error, writable, batch, search, partitions);
      return;
    }
    search.written++;
    this.#written(writable, batch, partitions);
  }

  /** Fails the turns whose partition is not held, or not without a break since they ran. Returns the others. */
  #failMoved(turns: readonly FinishedTurn[]): readonly FinishedTurn[] {
    const held = ({ activation }: FinishedTurn): boolean =>
      !activation.gone && this.#parts.partitions.partition(activation.partition) !== undefined;
    if (turns.every(held)) return turns;
    const moved = turns.filter((turn) => !held(turn));
    const message = `Cannot commit the turn of ${moved[0]?.activation.address} as another node may own its partition now`;
    this.#fail(moved, new TroupeError("fenced", message));
    return turns.filter(held);
  }

  /** CommitLane.L7: nothing was written. What is held all the same is written without what was lost. */
  async #fenced(
    turns: readonly FinishedTurn[],
    search: Search,
    fenced: number,
    partitions: ReadonlyMap<number, Partition>,
  ): Promise<void> {
    if (fenced >= MAX_FENCED) {
      this.#parts.ownership.giveUp([...partitions.values()]);
    } else {
      await this.#settle(partitions);
    }
    await this.#write(turns, search, fenced + 1);
  }

  /** CommitLane.L4 */
  async #unknown(
    error: unknown,
    turns: readonly FinishedTurn[],
    batch: CommitBatch,
    search: Search,
    partitions: ReadonlyMap<number, Partition>,
  ): Promise<void> {
    const [witness] = await this.#settle(partitions);
    if (witness === undefined) {
      const text =
        "Cannot tell whether the turn was committed, as its partition has moved: ask again with the same message id";
      this.#fail(turns, new TroupeError("deadline_exceeded", text, { cause: error }));
      return;
    }
    // All partitions of a batch move together, so any one of them tells.
    if (witness.commitSeq > (partitions.get(witness.partition)?.commitSeq ?? 0)) {
      search.written++;
      this.#written(turns, batch, partitions);
      return;
    }
    // It may be what is in the batch that ends the connection: then it is found like anything that the store refuses.
    await this.#refused(turns, search, error);
  }

  /** Gives up what is not held any more. Returns what is. */
  async #settle(partitions: ReadonlyMap<number, Partition>): Promise<readonly Grant[]> {
    const held = await settle(this.#parts, [...partitions.values()], () => this.#stopping);
    this.#parts.partitions.renewEpochs(held);
    const ids = new Set(held.map((grant) => grant.partition));
    const lost = [...partitions.values()].filter((partition) => !ids.has(partition.id));
    if (lost.length > 0) this.#parts.ownership.giveUp(lost);
    return held;
  }

  /** CommitLane.L5: halves the batch until what cannot be written stands alone. Nothing of it was written. */
  async #refused(turns: readonly FinishedTurn[], search: Search, cause: unknown): Promise<void> {
    search.refused++;
    const groups = groupByActor(turns);
    const hopeless = search.written === 0 && search.refused >= MAX_REFUSALS;
    if (groups.length === 1 || hopeless) {
      const [owner] = turns;
      if (groups.length === 1 && !hopeless && owner !== undefined) this.#apart.add(owner.activation.address);
      const why = cause instanceof CommitRefusedError ? "refused it" : "did not take it";
      const text = `Cannot commit the turn as the store ${why}`;
      this.#fail(turns, new TroupeError("commit_failed", text, { cause }));
      return;
    }
    const half = groups.length >> 1;
    await this.#write(groups.slice(0, half).flat(), search, 0);
    await this.#write(groups.slice(half).flat(), search, 0);
  }

  #written(turns: readonly FinishedTurn[], batch: CommitBatch, partitions: ReadonlyMap<number, Partition>): void {
    const held = this.#parts.partitions;
    const kept = (id: number): boolean => held.partition(id) === partitions.get(id);
    let moved = false;
    for (const fence of batch.fences) {
      const partition = partitions.get(fence.partition);
      if (partition === undefined) continue;
      partition.commitSeq++;
      partition.lastSeq = fence.lastSeq; // CommitLane.L2
      if (!moved) moved = held.partition(fence.partition) !== partition;
    }
    for (const turn of turns) turn.activation.committed(turn);
    // The answer may come after a partition was lost, or taken again: its timers may have been handled elsewhere since.
    const news = moved ? { ...batch, timers: batch.timers.filter((write) => kept(write.partition)) } : batch;
    const { metrics, clock, listeners } = this.#parts;
    metrics?.committed(turns, clock.now());
    for (const listener of listeners) this.#tell(listener, turns, news);
    this.#apart.wrote(turns);
    for (const turn of turns) {
      turn.open(); // CommitLane.L3
      if (turn.activation.stalled) turn.activation.wake();
    }
  }

  /** What a listener throws, it throws behind a commit that has happened: it is nothing that the turns could be told. */
  #tell(listener: CommitListener, turns: readonly FinishedTurn[], batch: CommitBatch): void {
    try {
      listener.written(turns, batch);
    } catch (error) {
      this.#parts.log.failed("telling of a commit", error);
      listener.missed?.(batch.fences.map(({ partition }) => partition));
    }
  }

  async #commit(batch: CommitBatch, turns: readonly FinishedTurn[]): Promise<void> {
    const { nodeId, store, clock, metrics, spans, probe } = this.#parts;
    const under = spans?.commit(turns, store.name);
    const since = metrics === undefined ? 0 : clock.monotonic();
    try {
      probe?.committing?.(turns);
      await store.commit(nodeId, batch);
    } catch (error) {
      under?.end(error);
      throw error;
    }
    under?.end();
    metrics?.commitSeconds.add((clock.monotonic() - since) / 1_000);
  }

  /** Fails the turns, and with them every gathered turn that was built on one of them. */
  #fail(turns: readonly FinishedTurn[], error: TroupeError): void {
    if (turns.length === 0) return;
    const actors = new Set<TurnOwner>(turns.map((turn) => turn.activation));
    const built = this.#gathered.filter((turn) => actors.has(turn.activation));
    if (built.length > 0) this.#gathered = this.#gathered.filter((turn) => !actors.has(turn.activation));
    built.push(...this.#apart.drop(actors));
    for (const activation of actors) activation.reload();
    const dropped = [...turns, ...built];
    this.#parts.metrics?.uncommitted(dropped);
    for (const turn of dropped) turn.fail(error);
    if (built.length > 0) this.room.left(built);
  }
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
