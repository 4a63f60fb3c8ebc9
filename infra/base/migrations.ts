import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Migration } from "./migration.ts";

/** The SQL files of a directory, in order of their names. */
export async function readMigrations(directory: string): Promise<readonly Migration[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith(".sql")).toSorted();
  return Promise.all(names.map(async (name) => ({ name, text: await readFile(join(directory, name), "utf8") })));
}
