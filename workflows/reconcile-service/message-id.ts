import { activityInfo } from "@temporalio/activity";

/**
 * The message id of this activity's call. The input is part of it: a local activity that was not recorded before its
 * worker died runs again under the same activity id, but maybe with another plan.
 */
export function messageId(step: string, input: unknown): string {
  const { activityId, workflowExecution } = activityInfo();
  const { workflowId, runId } = workflowExecution ?? { workflowId: "none", runId: "none" };
  return `${workflowId}/${runId}/${activityId}/${step}/${Bun.hash(JSON.stringify(input)).toString(36)}`;
}
