import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type History, historyFromJSON, historyToJSON } from "@temporalio/common/lib/proto-utils";

const ROOT = join(import.meta.dirname, "..", "..");
const FOLDER = join(import.meta.dirname, "histories");

/** A saved run of the workflow. */
export interface SavedHistory {
  readonly name: string;
  readonly history: History;
}

/** Saves a run as `histories/<name>.json`, without the names of the machines it ran on. */
export async function saveHistory(name: string, history: History): Promise<void> {
  // What names the machine it was recorded on has no place in the file: process names, folders in stack traces.
  const text = historyToJSON(history)
    .replaceAll(/"identity": "[^"]*"/g, '"identity": "worker"')
    .replaceAll(ROOT, "/app");
  await Bun.write(join(FOLDER, `${name}.json`), `${text}\n`);
}

/** The saved runs, by name. */
export async function savedHistories(): Promise<readonly SavedHistory[]> {
  const files = (await readdir(FOLDER)).filter((file) => file.endsWith(".json")).sort();
  return await Promise.all(
    files.map(async (file) => ({
      name: file.slice(0, -5),
      history: historyFromJSON(await Bun.file(join(FOLDER, file)).json()),
    })),
  );
}

/** The local activities of a run by name, in the order they ended: what the Temporal UI shows as markers. */
export function stepsOf({ events }: History): readonly string[] {
  return (events ?? []).flatMap(({ markerRecordedEventAttributes: marker }) => {
    const data = marker?.details?.["data"]?.payloads?.[0]?.data;
    return data ? [(JSON.parse(new TextDecoder().decode(data)) as { activity_type: string }).activity_type] : [];
  });
}
