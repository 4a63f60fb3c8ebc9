import { ScheduleAlreadyRunning, ScheduleOverlapPolicy } from "@temporalio/client";
import type { Temporal } from "#infra/temporal/connection.ts";
import { TASK_QUEUES } from "#workflows/task-queues.ts";

/** The schedule that refills what runs out. */
const REFILL_STOCK = "refill-stock";

/**
 * Makes the schedules of the shop where they are not there yet; one that somebody paused or changed stays as it is. Safe to
 * repeat, and for several nodes at once.
 */
export async function ensureSchedules({ client, call, prefix }: Temporal): Promise<void> {
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
}
