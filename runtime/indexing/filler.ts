/**
 * Keeps the index of a store complete: adds the actors that were stored before a field was indexed.
 *
 * Owns: the record, per partition and type, of the fields the index is complete for. Does not own: the values of running
 * actors, which every turn writes itself.
 * Calls in: `opening`, `stop`. Calls out: the store's `indexedFields`, `list`, `fillIndex`.
 *
 * F1 whoever holds a partition and indexes other fields than recorded takes the record away before its first turn there:
 *    a record that stands is true, also while nodes of two versions run side by side.
 * F2 a value is written only where the stored state is the one it was taken from: a turn that came between wins.
 * F3 a pass records a partition only if it was held without a break since before the pass read its first row.
 */

import type { AnyActorType } from "../actor/any-actor.ts";
import { readState } from "../actor/read-state.ts";
import { backoffMs } from "../base/backoff.ts";
import type { Clock } from "../base/clock.ts";
import { whenIdleNow } from "../base/event-loop.ts";
import type { Randomness } from "../base/randomness.ts";
import type { PartitionListener } from "../ownership/partition-listener.ts";
import type { PartitionTable } from "../ownership/partition-table.ts";
import type { Partition } from "../ownership/partition.ts";
import { type ActorRow, FencedError, type IndexFill, type Store } from "../ports/store.ts";
import type { StoreLog } from "../telemetry/store-log.ts";
import { fieldsOf, indexedValues } from "./filter.ts";

/** What the filler works with. */
export interface IndexFillerParts {
  readonly store: Store;
  readonly nodeId: string;
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly partitions: Pick<PartitionTable, "partition" | "of">;
  readonly log: Pick<StoreLog, "failed">;
}

const PAGE = 1_000;

/** Partitions of a type that wait for a pass. */
interface Stale {
  readonly type: AnyActorType;
  readonly partitions: readonly Partition[];
}

export class IndexFiller implements PartitionListener {
  readonly #types: readonly AnyActorType[];
  readonly #parts: IndexFillerParts;
  #waiting: Stale[] = [];
  #running = false;
  #stopped = false;

  constructor(types: readonly AnyActorType[], parts: IndexFillerParts) {
    this.#types = types;
    this.#parts = parts;
  }

  /**
   * To be called with newly held partitions before they are in use (IndexFiller.F1). What it resolves to starts the filling, and is
   * called once they are.
   */
  async opening(partitions: readonly Partition[]): Promise<() => void> {
    const rows = await this.#parts.store.indexedFields(partitions.map(({ id }) => id));
    const recorded = new Map(
      rows.map(({ type, partition, fields }) => [`${type}/${partition}`, JSON.stringify(fields)]),
    );
    const stale = this.#types.flatMap((type) => {
      const wanted = JSON.stringify(fieldsOf(type));
      const other = partitions.filter(({ id }) => (recorded.get(`${type.type}/${id}`) ?? "[]") !== wanted);
      return other.length === 0 ? [] : [{ type, partitions: other }];
    });
    const left = await Promise.all(stale.map((entry) => this.#reset(entry)));
    return () => {
      this.#waiting.push(...left.flat());
      if (!this.#running) void this.#run();
    };
  }

  stop(): void {
    this.#stopped = true;
  }

  /** Takes the record away, or sets it at once where there is nothing to fill. Returns what there is to do. */
  async #reset({ type, partitions }: Stale): Promise<readonly Stale[]> {
    const { store, nodeId } = this.#parts;
    const empty = (await store.list(type.type, { limit: 1, after: undefined })).length === 0;
    const fences = partitions.map(({ id, epoch }) => ({ partition: id, epoch }));
    await store.fillIndex(nodeId, fences, {
      type: type.type,
      actors: [],
      complete: empty ? fieldsOf(type) : undefined,
    });
    return empty ? [] : [{ type, partitions }];
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (let attempt = 1; this.#waiting.length > 0 && !this.#stopped;) {
      const entry = this.#waiting.shift() as Stale;
      try {
        await this.#pass(entry);
        attempt = 1;
      } catch (error) {
        if (this.#stopped) break; // the store may be closed by now
        this.#parts.log.failed(`filling the index of ${entry.type.type}`, error);
        this.#waiting.push(entry);
        await this.#pause(attempt++);
      }
    }
    this.#running = false;
  }

  async #pass({ type, partitions }: Stale): Promise<void> {
    const held = new Map(partitions.map((partition) => [partition.id, partition]));
    const fields = fieldsOf(type);
    const { store } = this.#parts;
    for (let after: string | undefined, more = fields.length > 0; more && held.size > 0 && !this.#stopped;) {
      const rows = await store.list(type.type, { limit: PAGE, after });
      for (const [id, actors] of this.#byPartition(type.type, rows)) {
        const filled = actors.flatMap((row) => this.#valuesOf(type, fields, row));
        await this.#fill(held, id, { type: type.type, actors: filled, complete: undefined });
      }
      after = rows.at(-1)?.key;
      more = rows.length === PAGE;
    }
    for (const id of held.keys()) await this.#fill(held, id, { type: type.type, actors: [], complete: fields });
  }

  /**
   * Nothing for an actor whose state cannot be read: it is left out, and found again once a turn of code that can read it has
   * written it. The others of its type need not wait for that.
   */
  #valuesOf(
    type: AnyActorType,
    fields: readonly string[],
    { key, state, schemaVersion }: ActorRow,
  ): IndexFill["actors"] {
    try {
      return [{ key, state, values: indexedValues(fields, JSON.parse(readState(type, key, state, schemaVersion))) }];
    } catch (error) {
      this.#parts.log.failed(`indexing ${type.type}/${key}, which is left out`, error);
      return [];
    }
  }

  /** Fills one partition of a pass; one that was lost meanwhile leaves the pass: its next owner begins anew (IndexFiller.F3). */
  async #fill(held: Map<number, Partition>, id: number, fill: IndexFill): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const partition = held.get(id);
      if (partition === undefined || this.#stopped) return;
      if (this.#parts.partitions.partition(id) !== partition) {
        held.delete(id);
        return;
      }
      try {
        await this.#parts.store.fillIndex(this.#parts.nodeId, [{ partition: id, epoch: partition.epoch }], fill);
        await whenIdleNow(); // a store that answers at once would let nothing else run, not even the lease's renewal
        return;
      } catch (error) {
        if (!(error instanceof FencedError)) throw error;
        // Lost, or under a higher epoch since a commit was settled: this node will know in a moment.
        await this.#pause(attempt);
      }
    }
  }

  #byPartition(type: string, rows: readonly ActorRow[]): ReadonlyMap<number, ActorRow[]> {
    const groups = new Map<number, ActorRow[]>();
    for (const row of rows) {
      const partition = this.#parts.partitions.of(type, row.key);
      const group = groups.get(partition);
      if (group === undefined) groups.set(partition, [row]);
      else group.push(row);
    }
    return groups;
  }

  #pause(attempt: number): Promise<void> {
    return new Promise((resolve) =>
      this.#parts.clock.after(backoffMs(attempt, this.#parts.randomness, 100, 5_000), resolve),
    );
  }
}
