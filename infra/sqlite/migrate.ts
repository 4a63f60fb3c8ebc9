import { join } from "node:path";
import { readMigrations } from "../base/migrations.ts";
import { applyMigrations } from "./apply.ts";
import type { SqlDatabase } from "./database.ts";

const DIRECTORY = join(import.meta.dirname, "migrations");

/** Brings a database up to date with the SQL files of `migrations/`. @returns the names of the files applied. */
export async function migrate(file: SqlDatabase): Promise<readonly string[]> {
  return applyMigrations(file, await readMigrations(DIRECTORY));
}
