import type { SqlDatabase, Value } from "../sqlite/database.ts";

/** The storage of a Durable Object with SQLite, as far as the store uses it. */
export interface ObjectStorage {
  readonly sql: { exec(text: string, ...values: readonly Value[]): { toArray(): object[] } };
  transactionSync<T>(work: () => T): T;
  setAlarm(at: number): Promise<void>;
  getAlarm(): Promise<number | null>;
}

/**
 * The database of a Durable Object. What it writes is durable before anything leaves the object: its output gate holds
 * answers and requests back until then.
 */
export class ObjectDatabase implements SqlDatabase {
  readonly #storage: ObjectStorage;

  constructor(storage: ObjectStorage) {
    this.#storage = storage;
  }

  all<Row>(text: string, ...values: readonly Value[]): Row[] {
    return this.#storage.sql.exec(text, ...values).toArray() as Row[];
  }

  get<Row>(text: string, ...values: readonly Value[]): Row | undefined {
    return this.all<Row>(text, ...values)[0];
  }

  run(text: string, ...values: readonly Value[]): number {
    this.all(text, ...values);
    return this.get<{ count: number }>("select changes() as count")?.count ?? 0;
  }

  script(text: string): void {
    this.all(text);
  }

  write<T>(work: () => T): T {
    return this.#storage.transactionSync(work);
  }

  read<T>(work: () => T): T {
    return this.#storage.transactionSync(work);
  }

  close(): void {
    // The storage lives as long as its object.
  }
}
