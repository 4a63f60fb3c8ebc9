import {
  ActivityFailure,
  CancellationScope,
  condition,
  defineSignal,
  getExternalWorkflowHandle,
  isCancellation,
  log,
  proxyActivities,
  proxyLocalActivities,
  setHandler,
  sleep,
  workflowInfo,
} from "@temporalio/workflow";
import type { EndRun } from "#actors/orchestrator/job/messages.ts";
import type { JobActivities } from "./activities.ts";
import { CHANGED_SIGNAL } from "./messages.ts";
import type { KeepScheduleInput, RunJobInput, StartedRun } from "./messages.ts";

const retry = { initialInterval: "200ms", backoffCoefficient: 2, maximumInterval: "10s" } as const;
const { beginRun, endRun } = proxyLocalActivities<JobActivities>({ startToCloseTimeout: "30s", retry });
const { syncSchedule } = proxyActivities<JobActivities>({ startToCloseTimeout: "30s", retry });

/** A host that does not answer for so long has lost the run. */
const HOST_WITHIN = "10 minutes";
/** Between two looks at a container that cannot be started yet. */
const COMING_PAUSE = "1s";

const changedSignal = defineSignal(CHANGED_SIGNAL);

/**
 * Runs the container of a job to its end: once it may begin, on one host, at most for its deadline. Whatever happens, the
 * container is removed and the job is told. A cancelled run stops its container first.
 */
export async function runJob(input: RunJobInput): Promise<EndRun["outcome"]> {
  const { workflowId } = workflowInfo();
  // Whoever has begun has to end: a cancellation waits for the answer.
  const run: StartedRun | null = await CancellationScope.nonCancellable(() =>
    beginRun(input.name, workflowId, input.trigger),
  );
  if (run === null) return "skipped";
  let end: Omit<EndRun, "number"> = { outcome: "lost", exitCode: null, message: "it was not seen to end" };
  try {
    for (const other of run.replaces) await cancel(other);
    const over = await CancellationScope.withTimeout(run.deadlineMs, () => toItsEnd(input.name, run)).catch(
      (error: unknown) => {
        if (!isCancellation(error)) throw error;
        return null;
      },
    );
    end = over ?? lateOrEnded(run);
  } catch (error) {
    const why = isCancellation(error)
      ? "it was ended before its time"
      : error instanceof ActivityFailure
        ? (error.cause?.message ?? error.message)
        : String(error);
    end = { outcome: isCancellation(error) ? "cancelled" : "lost", exitCode: null, message: why };
  }
  // Also when it was cancelled: nothing stays behind.
  await CancellationScope.nonCancellable(async () => {
    await on(run.host)
      .removeRun(input.name, run)
      .catch((error: unknown) => {
        log.warn("job:remove:failed", { name: input.name, error: String(error) });
      });
    await endRun(input.name, { number: run.number, ...end });
  });
  return end.outcome;
}

/** Brings the Temporal Schedule of a job in line with it, again whenever it changes meanwhile. */
export async function keepSchedule({ name }: KeepScheduleInput): Promise<void> {
  let changed = true;
  setHandler(changedSignal, () => void (changed = true));
  while (changed) {
    changed = false;
    await syncSchedule(name);
    // One that changes again at once is taken along.
    await condition(() => changed, "1s");
  }
}

async function toItsEnd(name: string, run: StartedRun): Promise<Omit<EndRun, "number">> {
  for (;;) {
    const seen = await on(run.host).lookAtRun(name, run);
    switch (seen.kind) {
      case "ended": {
        const { exitCode, oomKilled } = seen;
        const outcome = exitCode === 0 ? "succeeded" : "failed";
        const message = oomKilled ? "it used more memory than it may" : `it ended with exit code ${exitCode}`;
        return { outcome, exitCode, message };
      }
      case "lost":
        return { outcome: "lost", exitCode: null, message: seen.why };
      case "coming":
        await sleep(COMING_PAUSE);
        break;
      case "running":
        break;
    }
  }
}

/** Ended from outside: by its deadline, by the run that takes its place, or by hand. */
function lateOrEnded({ deadlineMs }: StartedRun): Omit<EndRun, "number"> {
  const cancelled = CancellationScope.current().consideredCancelled;
  return cancelled
    ? { outcome: "cancelled", exitCode: null, message: "it was ended before its time" }
    : { outcome: "timed_out", exitCode: null, message: `it took longer than ${deadlineMs / 1_000} s` };
}

async function cancel(workflowId: string): Promise<void> {
  await getExternalWorkflowHandle(workflowId)
    .cancel()
    .catch(() => undefined); // It has ended meanwhile.
}

/** The activities of the process that drives a host. */
function on(host: string) {
  return proxyActivities<Pick<JobActivities, "lookAtRun" | "removeRun">>({
    taskQueue: `${workflowInfo().taskQueue}.${host}`,
    scheduleToStartTimeout: HOST_WITHIN,
    startToCloseTimeout: "60s",
    retry: { ...retry, maximumAttempts: 20 },
  });
}
