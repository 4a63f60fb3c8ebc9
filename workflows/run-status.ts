/** Statuses of runs, as the outside names them, with the number and the list-filter name that Temporal gives them. */
const STATUSES = {
  RUNNING: [1, "Running"],
  COMPLETED: [2, "Completed"],
  FAILED: [3, "Failed"],
  CANCELLED: [4, "Canceled"],
  TERMINATED: [5, "Terminated"],
  CONTINUED_AS_NEW: [6, "ContinuedAsNew"],
  TIMED_OUT: [7, "TimedOut"],
  PAUSED: [8, "Paused"],
} as const;

/** The status of a run, as in `RUNNING`. */
export type RunStatus = keyof typeof STATUSES;

/** All of them. */
export const RUN_STATUSES = Object.keys(STATUSES) as [RunStatus, ...RunStatus[]];

/** The name of Temporal's status number; `UNKNOWN` for one that is newer than this code. */
export function statusName(code: number | null | undefined): RunStatus | "UNKNOWN" {
  for (const [name, [number]] of Object.entries(STATUSES)) if (number === code) return name as RunStatus;
  return "UNKNOWN";
}

/** What a list filter calls a status; `undefined` for a word that is no status. */
export function filterName(status: string): string | undefined {
  return status in STATUSES ? STATUSES[status as RunStatus][1] : undefined;
}
