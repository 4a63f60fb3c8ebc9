import type { WorkflowExecutionDescription } from "@temporalio/client";
import { optionalTsToDate } from "@temporalio/common/lib/time";
import { statusName } from "#workflows/run-status.ts";

/** What Temporal tells of a run, as far as it matters here. */
export type RunTold = Pick<WorkflowExecutionDescription["raw"], "pendingActivities" | "pendingWorkflowTask"> & {
  /** The number of its status. */
  readonly code: number;
};

/** `STARTED` of Temporal's states of a pending activity and of a pending workflow task. */
const STARTED = 2;

/**
 * What a run waits for, in one line: the activities on their way, with their age, their worker and why the last try failed, and
 * the workflow task. `RUNNING, waits for actOnHost (try 1, started 84.2 s ago by 4711@here)`.
 */
export function waitsOf({ code, pendingActivities, pendingWorkflowTask }: RunTold, nowMs: number): string {
  const ago = (at: Parameters<typeof optionalTsToDate>[0]): string => {
    const date = optionalTsToDate(at);
    return date === undefined ? "at no known time" : `${((nowMs - date.getTime()) / 1_000).toFixed(1)} s ago`;
  };
  const waits = (pendingActivities ?? []).map((one) => {
    const { activityType, attempt, state, scheduledTime, lastStartedTime, lastWorkerIdentity, lastFailure } = one;
    const began =
      state === STARTED
        ? `started ${ago(lastStartedTime)} by ${lastWorkerIdentity || "nobody known"}`
        : `not started, asked for ${ago(scheduledTime)}`;
    const failure = lastFailure?.message ? `, failed before: ${lastFailure.message}` : "";
    return `${activityType?.name ?? "?"} (try ${attempt ?? 1}, ${began}${failure})`;
  });
  if (pendingWorkflowTask) {
    const { state, attempt, startedTime, originalScheduledTime } = pendingWorkflowTask;
    const began =
      state === STARTED ? `started ${ago(startedTime)}` : `not started, asked for ${ago(originalScheduledTime)}`;
    waits.push(`its workflow task (try ${attempt ?? 1}, ${began})`);
  }
  return `${statusName(code)}, waits for ${waits.length > 0 ? waits.join(", ") : "a signal or a timer"}`;
}
