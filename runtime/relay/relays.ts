/**
 * The relays of one store, one for each sink, and their cursors in the store.
 *
 * Owns: when cursors are read and saved. Does not own: what a sink has acknowledged (`Relay`).
 */

import type { PartitionListener } from "../ownership/partition-listener.ts";
import type { Partition } from "../ownership/partition.ts";
import type { Sink } from "../ports/sink.ts";
import { Relay, type RelayParts } from "./relay.ts";

/** How long what is on its way to a broker is waited for when a partition leaves. */
const WITHDRAW_MS = 100;

export class Relays implements PartitionListener {
  readonly all: readonly Relay[];
  readonly #parts: RelayParts;

  /** @throws {TypeError} when two sinks have one name. */
  constructor(sinks: readonly Sink[], parts: RelayParts) {
    this.#parts = parts;
    this.all = sinksOf(parts.store.name, sinks).map((sink) => new Relay(sink, parts));
  }

  find(sink: string): Relay | undefined {
    return this.all.find((relay) => relay.sink.name === sink);
  }

  // --- PartitionListener ---

  async opening(partitions: readonly Partition[]): Promise<() => void> {
    const ids = partitions.map(({ id }) => id);
    const cursors = await this.#parts.store.cursors(ids);
    const saved = new Map(cursors.map(({ sink, partition, seq }) => [`${sink}/${partition}`, seq]));
    return () => {
      for (const relay of this.all) for (const id of ids) relay.open(id, saved.get(`${relay.sink.name}/${id}`) ?? 0);
    };
  }

  closed(ids: ReadonlySet<number>, why: "fresh" | "lost" | "released"): void {
    if (why !== "lost") return; // a fresh one is opened from its cursor; one that is released is withdrawn
    for (const relay of this.all) for (const id of ids) relay.close(id);
  }

  async released(ids: ReadonlySet<number>): Promise<void> {
    const rows = (await Promise.all(this.all.map((relay) => relay.withdraw([...ids], WITHDRAW_MS)))).flat();
    if (rows.length > 0) await this.#parts.store.saveCursors(rows);
  }

  // --- cursors, and the end ---

  /** Saves the cursors that moved. Never rejects: what could not be saved is saved the next time. */
  async saveCursors(): Promise<void> {
    const rows = this.all.flatMap((relay) => relay.takeCursors());
    if (rows.length === 0) return;
    try {
      await this.#parts.store.saveCursors(rows);
    } catch (error) {
      for (const relay of this.all) relay.saveFailed();
      this.#parts.log.failed("cursor save", error);
    }
  }

  /** Resolves when nothing is left that could be published now. A sink that is down gets the rest from the next owner. */
  async idle(): Promise<void> {
    await Promise.all(this.all.filter(({ failing }) => failing === undefined).map((relay) => relay.idle()));
  }

  stop(): void {
    for (const relay of this.all) relay.stop();
  }
}

/** @throws {TypeError} two of one name: they would share a cursor, and what one took would be skipped by the other. */
function sinksOf(store: string, sinks: readonly Sink[]): readonly Sink[] {
  const own = sinks.filter((sink) => sink.stores === undefined || sink.stores.includes(store));
  const names = new Set<string>();
  for (const { name } of own) {
    if (names.has(name)) {
      throw new TypeError(
        `Cannot give two sinks of the store "${store}" the name "${name}" as cursors are kept under it: expected names that differ`,
      );
    }
    names.add(name);
  }
  return own;
}
