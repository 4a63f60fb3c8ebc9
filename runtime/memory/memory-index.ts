import { compareText } from "../base/text-order.ts";
import type { FieldValue, Fence, IndexCondition, IndexedFields, IndexFill, IndexWrite } from "../ports/store.ts";

interface Entry {
  readonly partition: number;
  readonly values: Map<string, string>;
}

/** The index of the memory store: the values of each actor, and for which fields they are complete in each partition. */
export class MemoryIndex {
  readonly #types = new Map<string, Map<string, Entry>>();
  readonly #complete = new Map<string, IndexedFields>();
  readonly #partitions: number;

  /** @param partitions how many the store has. */
  constructor(partitions: number) {
    this.#partitions = partitions;
  }

  write({ type, key, partition, field, value }: IndexWrite): void {
    const entries = this.#entries(type);
    const entry = entries.get(key) ?? { partition, values: new Map<string, string>() };
    if (value === undefined) entry.values.delete(field);
    else entry.values.set(field, value);
    if (entry.values.size === 0) entries.delete(key);
    else entries.set(key, entry);
  }

  /** The keys, in no order, of the actors that meet all conditions. */
  keys(type: string, conditions: readonly IndexCondition[]): string[] {
    const found = [...this.#entries(type)].filter(([, { values }]) =>
      conditions.every((condition) => meets(values.get(condition.field), condition)),
    );
    return found.map(([key]) => key);
  }

  /** Adds the values of actors that are still as they were read. */
  fill(partition: number, { type, actors }: IndexFill, stateOf: (key: string) => string | undefined): void {
    for (const { key, state, values } of actors) {
      if (stateOf(key) !== state) continue;
      for (const value of values) this.write({ type, key, partition, ...(value satisfies FieldValue) });
    }
  }

  /** Removes what is left of other fields, and of actors that are gone. */
  tidy(fences: readonly Fence[], type: string, fields: readonly string[], exists: (key: string) => boolean): void {
    const partitions = new Set(fences.map((fence) => fence.partition));
    for (const [key, { partition, values }] of this.#entries(type)) {
      if (!partitions.has(partition)) continue;
      for (const field of values.keys()) {
        if (!fields.includes(field) || !exists(key)) this.write({ type, key, partition, field, value: undefined });
      }
    }
  }

  record(fences: readonly Fence[], type: string, fields: readonly string[] | undefined): void {
    for (const { partition } of fences) {
      if (fields === undefined) this.#complete.delete(`${type}/${partition}`);
      else this.#complete.set(`${type}/${partition}`, { type, partition, fields });
    }
  }

  complete(partitions: readonly number[]): readonly IndexedFields[] {
    const wanted = new Set(partitions);
    return [...this.#complete.values()].filter(({ partition }) => wanted.has(partition));
  }

  isComplete(type: string, fields: readonly string[]): boolean {
    const wanted = JSON.stringify(fields);
    const rows = [...this.#complete.values()].filter(
      (row) => row.type === type && JSON.stringify(row.fields) === wanted,
    );
    return rows.length === this.#partitions;
  }

  #entries(type: string): Map<string, Entry> {
    let entries = this.#types.get(type);
    if (entries === undefined) this.#types.set(type, (entries = new Map()));
    return entries;
  }
}

function meets(value: string | undefined, condition: IndexCondition): boolean {
  if (value === undefined) return false;
  if ("values" in condition) return condition.values.includes(value);
  return compareText(value, condition.from) >= 0 && compareText(value, condition.before) < 0;
}
