import { join } from "node:path";
import type { History } from "@temporalio/common/lib/proto-utils";
import { historiesIn, type SavedHistory, saveHistoryIn } from "../histories.ts";

const FOLDER = join(import.meta.dirname, "histories");
/** Runs of the saga as it was before there were returns, decisions and parked undos. */
const FIRST_EDITION = join(import.meta.dirname, "histories-first-edition");

/** Saves a run as `histories/<name>.json`. */
export const saveHistory = (name: string, history: History): Promise<void> => saveHistoryIn(FOLDER, name, history);

/** The saved runs, by name. */
export async function savedHistories(): Promise<readonly SavedHistory[]> {
  const [first, second] = await Promise.all([historiesIn(FIRST_EDITION), historiesIn(FOLDER)]);
  return [...first.map(({ name, history }) => ({ name: `first edition: ${name}`, history })), ...second];
}

/** The local activities of a run by name, in the order they ended: what the Temporal UI shows as markers. */
export function stepsOf({ events }: History): readonly string[] {
  return (events ?? []).flatMap(({ markerRecordedEventAttributes: marker }) => {
    const data = marker?.details?.["data"]?.payloads?.[0]?.data;
    return data ? [(JSON.parse(new TextDecoder().decode(data)) as { activity_type: string }).activity_type] : [];
  });
}
