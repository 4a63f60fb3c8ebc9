import { ScheduleAlreadyRunning, ScheduleOverlapPolicy } from "@temporalio/client";
import type { Temporal } from "#infra/temporal/connection.ts";
import { resealSchedules } from "#infra/temporal/reseal-schedules.ts";
import { TASK_QUEUES } from "#workflows/task-queues.ts";

/** The schedule that refills what runs out. */
const REFILL_STOCK = "refill-stock";

/**
 * Makes the schedules of the shop where they are not there yet; one that somebody paused or changed stays as it is, and is
 * sealed by the key of today. Safe to repeat, and for several nodes at once.
 */
export async function ensureSchedules(temporal: Temporal, key: Uint8Array | undefined): Promise<void> {
  const { client, call, prefix } = temporal;
  const scheduleId = prefix + REFILL_STOCK;
  try {
    await call(() =>
      client.schedule.create({
        scheduleId,
        spec: { intervals: [{ every: "2h" }] },
        policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: "1m" },
        action: {
          type: "startWorkflow",
          workflowType: "refillStock",
          workflowId: scheduleId,
          taskQueue: prefix + TASK_QUEUES.shop,
          args: [{}],
        },
      }),
    );
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
  const taskQueues = Object.values(TASK_QUEUES).map((name) => prefix + name);
  if (key !== undefined) await resealSchedules(temporal, { key, taskQueues });
}
