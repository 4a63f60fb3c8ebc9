import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** Where the schema of a Durable Object's store stands. */
export const OBJECT_MIGRATIONS = "infra/durable-object/migrations.ts";
const SQL = "infra/sqlite/migrations";

const HEAD = `/**
 * The schema of the store, for where no file can be read: the SQL files of \`${SQL}\`. Made by
 * \`bun scripts/docs/main.ts --write\`; a test holds that it is up to date.
 */
import type { Migration } from "../base/migration.ts";

/** In the order in which they are applied. */
// oxfmt-ignore
export const MIGRATIONS: readonly Migration[] = `;

/** The SQL files of the store as a module. */
export function objectMigrations(root: string): string {
  const names = readdirSync(join(root, SQL)).filter((name) => name.endsWith(".sql"));
  const migrations = names.toSorted().map((name) => ({ name, text: readFileSync(join(root, SQL, name), "utf8") }));
  return `${HEAD}${JSON.stringify(migrations, undefined, 2)};\n`;
}
