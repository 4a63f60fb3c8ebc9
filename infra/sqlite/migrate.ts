import { join } from "node:path";
import { readMigrations } from "../migrations.ts";
import type { SqliteFile } from "./file.ts";

const DIRECTORY = join(import.meta.dirname, "migrations");

/**
 * Applies the SQL files of `migrations/` that the file has not seen, in order of their names, all in one transaction:
 * processes that start together do not collide, and a file that fails leaves nothing behind.
 *
 * @returns the names of the files applied.
 */
export async function migrate(file: SqliteFile): Promise<readonly string[]> {
  const migrations = await readMigrations(DIRECTORY);
  return file.write(() => {
    file.script("create table if not exists migrations (name text primary key, applied_ms integer not null) strict");
    const applied = new Set(file.all<{ name: string }>("select name from migrations").map(({ name }) => name));
    const pending = migrations.filter(({ name }) => !applied.has(name));
    for (const { name, text } of pending) {
      file.script(text);
      file.run("insert into migrations (name, applied_ms) values (?, ?)", name, Date.now());
    }
    return pending.map(({ name }) => name);
  });
}
