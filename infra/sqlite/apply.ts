import type { Migration } from "../base/migration.ts";
import type { SqlDatabase } from "./database.ts";

/**
 * Applies the migrations that the database has not seen, in their order, all in one transaction: who starts together does not
 * collide, and one that fails leaves nothing behind.
 *
 * @returns the names of those applied.
 */
export function applyMigrations(file: SqlDatabase, migrations: readonly Migration[]): readonly string[] {
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
