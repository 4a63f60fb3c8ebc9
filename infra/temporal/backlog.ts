import type { Temporal } from "./connection.ts";

/** Tasks of a queue that nobody has taken yet, of workflows and of activities: about as many. */
export async function taskQueueBacklog(
  { client, namespace, prefix, call }: Temporal,
  taskQueue: string,
): Promise<number> {
  const counts = await Promise.all(
    [1, 2].map(async (taskQueueType) => {
      const answer = await call(() =>
        client.workflowService.describeTaskQueue({
          namespace,
          taskQueue: { name: prefix + taskQueue },
          taskQueueType,
          reportStats: true,
        }),
      );
      return Number(answer.stats?.approximateBacklogCount ?? 0);
    }),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}
