import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import type { Store } from "#runtime";
import { SqliteFile } from "./file.ts";
import { migrate } from "./migrate.ts";
import { SqlStore } from "./sql-store.ts";

/** What {@link sqlite} may be told. */
export interface SqliteStoreOptions {
  /** How the store is called in logs and `/ready`. Default: the path. */
  readonly name?: string;
  /** How long a write waits for another process to end its own, which blocks this one. Default 1,000 ms. */
  readonly busyTimeoutMs?: number;
  /**
   * How many partitions the store is made with, 64 to 1,024. For ever: a store that was made with others does not open. Default:
   * as many as the store has, 64 for a new one.
   */
  readonly partitions?: number;
}

/**
 * A store in a SQLite file, for a system that is one process on one machine. The promises are those of the Postgres
 * store: a reply leaves after its commit is flushed to the disk, and several processes on the file fence each other. They
 * must be on one machine, whose clock the leases are counted by. `open` creates the file with its folder.
 *
 * Everything runs in the calling thread: a commit blocks it for as long as the disk takes to flush.
 *
 * @throws {RangeError} a number of partitions that no store can have.
 *
 * @example
 * ```ts
 * const troupe = await createTroupe({ actors: [Counter], stores: { default: sqlite("data/app.db") } });
 * ```
 */
export function sqlite(path: string, options: SqliteStoreOptions = {}): Store {
  const { name = path, busyTimeoutMs = 1_000, partitions } = options;
  const open = async (): Promise<SqliteFile> => {
    await mkdir(dirname(path), { recursive: true });
    const file = new SqliteFile(path, busyTimeoutMs);
    try {
      await migrate(file);
      return file;
    } catch (error) {
      file.close();
      throw error;
    }
  };
  return new SqlStore(name, open, partitions);
}
