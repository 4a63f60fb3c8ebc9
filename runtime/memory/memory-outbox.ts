import type { CursorRow, KnownSink, OutboxKind, OutboxRecord } from "../ports/store.ts";

/** The outbox of a store in memory, its sinks and their cursors. */
export class MemoryOutbox {
  readonly #outbox: OutboxRecord[][];
  readonly #cursors = new Map<string, CursorRow>();
  readonly #sinks = new Map<string, { readonly kind: OutboxKind; readonly seen: number }>();

  /** @param partitions how many the store has. */
  constructor(partitions: number) {
    this.#outbox = Array.from({ length: partitions }, () => []);
  }

  write(records: readonly OutboxRecord[]): void {
    for (const record of records) this.#outbox[record.partition]?.push(record);
  }

  cursors(partitions: readonly number[]): readonly CursorRow[] {
    const wanted = new Set(partitions);
    return [...this.#cursors.values()].filter((cursor) => wanted.has(cursor.partition));
  }

  saveCursors(cursors: readonly CursorRow[]): void {
    for (const cursor of cursors) {
      const id = `${cursor.sink}/${cursor.partition}`;
      if (cursor.seq > (this.#cursors.get(id)?.seq ?? 0)) this.#cursors.set(id, cursor);
    }
  }

  read(
    kind: OutboxKind,
    positions: readonly { readonly partition: number; readonly after: number }[],
    limit: number,
  ): readonly OutboxRecord[] {
    return positions.flatMap(({ partition, after }) =>
      (this.#outbox[partition] ?? []).filter((record) => record.kind === kind && record.seq > after).slice(0, limit),
    );
  }

  registerSinks(sinks: readonly KnownSink[], at: number): void {
    for (const { name, kind } of sinks) this.#sinks.set(name, { kind, seen: at });
  }

  forgetSinks(before: number): readonly string[] {
    const gone = [...this.#sinks].filter(([, { seen }]) => seen < before).map(([name]) => name);
    for (const name of gone) {
      this.#sinks.delete(name);
      for (const [id, { sink }] of this.#cursors) if (sink === name) this.#cursors.delete(id);
    }
    return gone;
  }

  oldestAhead(sink: string, kind: OutboxKind): number | undefined {
    const ahead = this.#outbox.flatMap((records, partition) => {
      const passed = this.#cursors.get(`${sink}/${partition}`)?.seq ?? 0;
      return records.filter((record) => record.kind === kind && record.seq > passed).map(({ at }) => at);
    });
    return ahead.length === 0 ? undefined : ahead.reduce((a, b) => Math.min(a, b));
  }

  prune(partitions: readonly number[], before: number, limit: number): number {
    let pruned = 0;
    for (const partition of partitions) {
      const passed = new Map<OutboxKind, number>();
      for (const [name, { kind }] of this.#sinks) {
        const seq = this.#cursors.get(`${name}/${partition}`)?.seq ?? 0;
        passed.set(kind, Math.min(passed.get(kind) ?? seq, seq));
      }
      this.#outbox[partition] = (this.#outbox[partition] ?? []).filter(({ kind, seq, at }) => {
        const goes = pruned < limit && at < before && seq <= (passed.get(kind) ?? 0);
        if (goes) pruned++;
        return !goes;
      });
    }
    return pruned;
  }
}
