/**
 * Locks between processes that vanish with their holder, also when it is killed: the operating system drops the file lock
 * that SQLite takes for an exclusive transaction. A file with a pid in it would have to be judged stale, and races on that.
 */
import { Database } from "bun:sqlite";
import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

/** A held lock. Released by `release()`, `using`, or the end of the process. */
export interface Lock extends Disposable {
  release(): void;
}

/** Takes the lock if it is free; undefined when somebody holds it. Creates the file and its folders. */
export function tryLock(path: string): Lock | undefined {
  mkdirSync(dirname(path), { recursive: true });
  const database = new Database(path, { create: true });
  try {
    database.run("PRAGMA busy_timeout = 0");
    database.run("BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if (isBusy(error)) return undefined;
    throw error;
  }
  let held = true;
  const release = (): void => {
    if (!held) return;
    held = false;
    database.close(); // Rolls back, which frees the file.
  };
  return { release, [Symbol.dispose]: release };
}

/**
 * Runs `work` while holding the lock, after waiting for it as long as it takes. `onWait` is called once if it has to wait. `signal` ends
 * the wait, but not the work.
 */
export async function withLock<T>(
  path: string,
  work: () => Promise<T>,
  onWait?: () => void,
  signal?: AbortSignal,
): Promise<T> {
  let lock = tryLock(path);
  if (lock === undefined) onWait?.();
  while (lock === undefined) {
    await delay(100, undefined, signal === undefined ? {} : { signal });
    lock = tryLock(path);
  }
  try {
    return await work();
  } finally {
    lock.release();
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && "code" in error && String(error.code).startsWith("SQLITE_BUSY");
}
