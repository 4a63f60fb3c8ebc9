import { WorkflowNotFoundError } from "@temporalio/client";
import { everyOne } from "#infra/base/every-one.ts";
import type { Engine } from "#infra/engines/engine.ts";
import type { Temporal } from "#infra/temporal/connection.ts";
import type { Troupe } from "#runtime";
import { Job } from "./job.ts";
import { isJobService, jobService } from "./messages.ts";

/** What {@link sweepJobs} looks at. */
export interface JobSweep {
  readonly troupe: Pick<Troupe, "ref" | "list">;
  readonly temporal: Pick<Temporal, "client" | "call">;
  readonly engine: Pick<Engine, "list" | "remove">;
  /** A younger container may be of a run that began meanwhile. Default 60,000 ms. */
  readonly olderThanMs?: number;
}

/**
 * Ends what nobody will end any more: runs whose workflow was terminated or lost, which would keep others from beginning,
 * and containers whose run is over. Returns whose runs were lost.
 */
export async function sweepJobs({ troupe, temporal, engine, olderThanMs = 60_000 }: JobSweep): Promise<string[]> {
  const lost: string[] = [];
  for (const { key, state } of await everyOne(troupe, Job)) {
    for (const { number, workflowId, endedAt } of state.runs) {
      if (endedAt !== null || (await isRunning(temporal, workflowId))) continue;
      const message = "its workflow has ended without saying how";
      await troupe.ref(Job, key).end({ number, outcome: "lost", exitCode: null, message });
      lost.push(key);
    }
  }
  const underWay = new Set(
    (await everyOne(troupe, Job)).flatMap(({ key, state }) =>
      state.runs.flatMap(({ number, endedAt }) => (endedAt === null ? [`${jobService(key)}/${number}`] : [])),
    ),
  );
  for (const { id, service, replica, createdAt } of await engine.list()) {
    const old = Date.now() - Date.parse(createdAt) >= olderThanMs;
    if (isJobService(service) && old && !underWay.has(`${service}/${replica}`)) await engine.remove(id, 0);
  }
  return lost;
}

async function isRunning({ client, call }: JobSweep["temporal"], workflowId: string): Promise<boolean> {
  try {
    const { status } = await call(() => client.workflow.getHandle(workflowId).describe());
    return status.name === "RUNNING" || status.name === "CONTINUED_AS_NEW";
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}
