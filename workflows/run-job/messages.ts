import type { JobRun } from "#actors/orchestrator/job/messages.ts";

/** Input of `runJob`. */
export interface RunJobInput {
  readonly name: string;
  readonly trigger: JobRun["trigger"];
}

/** Input of `keepSchedule`. */
export interface KeepScheduleInput {
  readonly name: string;
}

/** The signal that a job has changed. */
export const CHANGED_SIGNAL = "changed";

/** A run that may begin, and where. */
export interface StartedRun {
  readonly host: string;
  readonly number: number;
  readonly revision: string;
  readonly graceMs: number;
  readonly deadlineMs: number;
  readonly replaces: readonly string[];
}

/** What a look at a run's container found. */
export type RunLook =
  | { readonly kind: "running" }
  /** It is not started yet, for `why`: its image is on its way. */
  | { readonly kind: "coming"; readonly why: string }
  | { readonly kind: "ended"; readonly exitCode: number; readonly oomKilled: boolean }
  /** It cannot be made or started, or somebody has removed it. */
  | { readonly kind: "lost"; readonly why: string };
