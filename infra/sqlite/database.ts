/** What a statement takes: `null`, not `undefined`, for what is missing. */
export type Value = string | number | null;

/**
 * A SQLite database as the store uses it: a file here, the storage of a Durable Object there. Everything runs at once, in the
 * calling thread.
 */
export interface SqlDatabase {
  all<Row>(text: string, ...values: readonly Value[]): Row[];
  get<Row>(text: string, ...values: readonly Value[]): Row | undefined;
  /** @returns how many rows changed. */
  run(text: string, ...values: readonly Value[]): number;
  /** Several statements of a migration. */
  script(text: string): void;
  /**
   * Runs `work` in a transaction: nobody else writes between what it reads and what it writes. What `work` throws passes
   * through, and nothing is written.
   * @throws {OutcomeUnknownError} the commit itself failed: what is durable cannot be told.
   */
  write<T>(work: () => T): T;
  /** Runs `work` on one snapshot. */
  read<T>(work: () => T): T;
  close(): void;
}
