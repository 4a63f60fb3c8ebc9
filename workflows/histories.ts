import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type History, historyFromJSON, historyToJSON } from "@temporalio/common/lib/proto-utils";

const ROOT = join(import.meta.dirname, "..");

/** A saved run of a workflow. */
export interface SavedHistory {
  readonly name: string;
  readonly history: History;
}

/** Saves a run as `<folder>/<name>.json`, without the names of the machines it ran on. */
export async function saveHistoryIn(folder: string, name: string, history: History): Promise<void> {
  // What names the machine it was recorded on has no place in the file: process names, folders in stack traces.
  const text = historyToJSON(history)
    .replaceAll(/"identity": "[^"]*"/g, '"identity": "worker"')
    .replaceAll(ROOT, "/app");
  await Bun.write(join(folder, `${name}.json`), `${text}\n`);
}

/** The saved runs of a folder, by name. */
export async function historiesIn(folder: string): Promise<readonly SavedHistory[]> {
  const files = (await readdir(folder)).filter((file) => file.endsWith(".json")).sort();
  return await Promise.all(
    files.map(async (file) => ({
      name: file.slice(0, -5),
      history: historyFromJSON(await Bun.file(join(folder, file)).json()),
    })),
  );
}
