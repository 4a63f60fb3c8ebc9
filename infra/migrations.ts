import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

/** One SQL file. Its name, as in `0002_create_actor_index.sql`, is what a store remembers it by. */
export interface Migration {
  readonly name: string;
  readonly text: string;
}

/** The SQL files of a directory, in order of their names. */
export async function readMigrations(directory: string): Promise<readonly Migration[]> {
  const names = (await readdir(directory)).filter((name) => name.endsWith(".sql")).toSorted();
  return Promise.all(names.map(async (name) => ({ name, text: await readFile(join(directory, name), "utf8") })));
}
