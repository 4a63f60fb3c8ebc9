import { join } from "node:path";
import { readMigrations } from "../migrations.ts";

const HEAD = `/**
 * The schema of the store, for where no file can be read: the SQL files of \`infra/sqlite/migrations\`. Written by
 * \`bun infra/durable-object/write-migrations.ts\`; a test holds that it is up to date.
 */
import type { Migration } from "../migration.ts";

/** In the order in which they are applied. */
// oxfmt-ignore
export const MIGRATIONS: readonly Migration[] = `;

/** The text of `migrations.ts`. */
export async function migrationsModule(): Promise<string> {
  const migrations = await readMigrations(join(import.meta.dirname, "../sqlite/migrations"));
  return `${HEAD}${JSON.stringify(migrations, undefined, 2)};\n`;
}
