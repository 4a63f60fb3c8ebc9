import { join } from "node:path";
import type { History } from "@temporalio/common/lib/proto-utils";
import { historiesIn, type SavedHistory, saveHistoryIn } from "../histories.ts";

const FOLDER = join(import.meta.dirname, "histories");
/** Runs of the saga as it was before there were returns, decisions and parked undos. */
const FIRST_EDITION = join(import.meta.dirname, "histories-first-edition");
/** Runs of the saga as it was before parcels told it of their end alone. */
const SECOND_EDITION = join(import.meta.dirname, "histories-second-edition");

/** Saves a run as `histories/<name>.json`. */
export const saveHistory = (name: string, history: History): Promise<void> => saveHistoryIn(FOLDER, name, history);

/** The saved runs, by name. */
export async function savedHistories(): Promise<readonly SavedHistory[]> {
  const [first, second, third] = await Promise.all([FIRST_EDITION, SECOND_EDITION, FOLDER].map(historiesIn));
  const named = (edition: string, saved: readonly SavedHistory[] = []): SavedHistory[] =>
    saved.map(({ name, history }) => ({ name: `${edition} edition: ${name}`, history }));
  return [...named("first", first), ...named("second", second), ...(third ?? [])];
}

/** What a run costs the server. */
export interface RunCost {
  /** Events of its history but those of workflow tasks: signals that come together share one, and a slow machine adds some. */
  readonly events: number;
  /** Of its parts: the one from the start, and one for each piece of news that came by itself. */
  readonly tasks: number;
  readonly timers: number;
  /** Ordinary activities: each would be a trip to the server and a workflow task more. */
  readonly activities: number;
}

/** What a run has cost, by its history. */
export function costOf({ events }: History): RunCost {
  const all = events ?? [];
  const isTask = (event: object): boolean =>
    Object.entries(event).some(([name, value]) => name.startsWith("workflowTask") && value != null);
  return {
    events: all.filter((event) => !isTask(event)).length,
    tasks: all.filter(({ workflowTaskScheduledEventAttributes: task }) => task != null).length,
    timers: all.filter(({ timerStartedEventAttributes: timer }) => timer != null).length,
    activities: all.filter(({ activityTaskScheduledEventAttributes: activity }) => activity != null).length,
  };
}

/** The local activities of a run by name, in the order they ended: what the Temporal UI shows as markers. */
export function stepsOf({ events }: History): readonly string[] {
  return (events ?? []).flatMap(({ markerRecordedEventAttributes: marker }) => {
    const data = marker?.details?.["data"]?.payloads?.[0]?.data;
    return data ? [(JSON.parse(new TextDecoder().decode(data)) as { activity_type: string }).activity_type] : [];
  });
}
