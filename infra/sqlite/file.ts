import { Database, type SQLQueryBindings, type Statement } from "bun:sqlite";
import { OutcomeUnknownError } from "#runtime";
import type { SqlDatabase, Value } from "./database.ts";

/**
 * A connection to a database file, with its statements prepared once. Everything runs at once and in this thread; a
 * write waits at most the busy timeout for another process to end its own.
 */
export class SqliteFile implements SqlDatabase {
  readonly #db: Database;
  readonly #statements = new Map<string, Statement<unknown, SQLQueryBindings[]>>();

  /**
   * Opens the file, or creates it; its folder must be there.
   * @throws {SQLiteError} it cannot be opened, is no database, or another process holds it locked.
   */
  constructor(path: string, busyTimeoutMs: number) {
    this.#db = new Database(path, { create: true, readwrite: true });
    try {
      this.#db.run(`pragma busy_timeout = ${busyTimeoutMs}`);
      // Readers and a writer side by side, and one flush per commit.
      this.#db.run("pragma journal_mode = wal");
      // The default of some builds flushes at checkpoints only: a commit could be lost with the power after its reply.
      this.#db.run("pragma synchronous = full");
      // On macOS a plain flush stops at the drive's cache. Elsewhere this does nothing.
      this.#db.run("pragma fullfsync = on");
    } catch (error) {
      this.#db.close();
      throw error;
    }
  }

  all<Row>(text: string, ...values: readonly Value[]): Row[] {
    return this.#statement(text).all(...values) as Row[];
  }

  get<Row>(text: string, ...values: readonly Value[]): Row | undefined {
    return (this.#statement(text).get(...values) as Row | null) ?? undefined;
  }

  /** @returns how many rows changed. */
  run(text: string, ...values: readonly Value[]): number {
    return this.#statement(text).run(...values).changes;
  }

  /** Several statements of a migration. */
  script(text: string): void {
    this.#db.run(text);
  }

  /**
   * Runs `work` in a transaction that has the write lock from its start, so that what it reads cannot change before it
   * writes. What `work` throws passes through, and nothing is written.
   *
   * @throws {OutcomeUnknownError} the commit itself failed: what reached the disk cannot be told.
   * @throws {SQLiteError} another process held the lock for longer than the busy timeout.
   */
  write<T>(work: () => T): T {
    this.run("begin immediate");
    let result: T;
    try {
      result = work();
    } catch (error) {
      this.#rollback();
      throw error;
    }
    try {
      this.run("commit");
    } catch (error) {
      this.#rollback();
      throw new OutcomeUnknownError("Cannot tell whether the commit happened", { cause: error });
    }
    return result;
  }

  /** Runs `work` on one snapshot. */
  read<T>(work: () => T): T {
    this.run("begin");
    try {
      return work();
    } finally {
      this.#rollback();
    }
  }

  close(): void {
    // Statements left open would keep the file open, and its log unmerged.
    for (const statement of this.#statements.values()) statement.finalize();
    this.#statements.clear();
    this.#db.close();
  }

  #rollback(): void {
    // An error such as a full disk has rolled back already.
    if (this.#db.inTransaction) this.run("rollback");
  }

  #statement(text: string): Statement<unknown, SQLQueryBindings[]> {
    let statement = this.#statements.get(text);
    if (statement === undefined) {
      statement = this.#db.prepare(text);
      this.#statements.set(text, statement);
    }
    return statement;
  }
}
