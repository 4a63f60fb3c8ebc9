import { optionalTsToDate } from "@temporalio/common/lib/time";
import { WorkflowClientError } from "#infra/temporal/client-error.ts";
import type { Temporal } from "#infra/temporal/connection.ts";
import { filterName, statusName } from "./run-status.ts";
import { TASK_QUEUES } from "./task-queues.ts";

/** What to list. */
export interface WorkflowPageRequest {
  readonly type?: string | undefined;
  /** As in `RUNNING`. */
  readonly status?: string | undefined;
  readonly limit: number;
  /** `next` of the page before. */
  readonly cursor?: string | undefined;
}

/** A run in a list. Times are RFC 3339. */
export interface WorkflowSummary {
  readonly workflowId: string;
  readonly runId: string;
  readonly type: string;
  readonly status: string;
  readonly startedAt: string;
  readonly closedAt: string | null;
}

/** A page of runs, newest first. `next: null` ends the list. */
export interface WorkflowPage {
  readonly items: readonly WorkflowSummary[];
  readonly next: string | null;
}

/**
 * Lists runs from Temporal's visibility store, which is a second or so behind.
 * @param queuePrefix of the task queues of this system: other systems may share the namespace.
 */
export async function listRuns(
  { client, namespace, prefix }: Temporal,
  page: WorkflowPageRequest,
  queuePrefix: string,
): Promise<WorkflowPage> {
  const { executions, nextPageToken } = await client.workflowService.listWorkflowExecutions({
    namespace,
    pageSize: page.limit,
    query: filterOf(page, queuePrefix),
    ...(page.cursor === undefined ? {} : { nextPageToken: Buffer.from(page.cursor, "base64url") }),
  });
  const items = (executions ?? []).map(({ execution, type, status, startTime, closeTime }) => ({
    workflowId: (execution?.workflowId ?? "").slice(prefix.length),
    runId: execution?.runId ?? "",
    type: type?.name ?? "",
    status: statusName(status),
    startedAt: optionalTsToDate(startTime)?.toISOString() ?? "",
    closedAt: optionalTsToDate(closeTime)?.toISOString() ?? null,
  }));
  const more = nextPageToken !== null && nextPageToken !== undefined && nextPageToken.length > 0;
  return { items, next: more ? Buffer.from(nextPageToken).toString("base64url") : null };
}

function filterOf({ type, status }: WorkflowPageRequest, queuePrefix: string): string {
  const queues = Object.values(TASK_QUEUES).map((name) => `'${queuePrefix}${name}'`);
  const conditions = [`TaskQueue IN (${queues.join(", ")})`];
  if (type !== undefined) {
    if (!/^[\w.-]{1,200}$/.test(type))
      throw new WorkflowClientError("workflow_invalid", "Cannot list workflows: the type is not a name");
    conditions.push(`WorkflowType = '${type}'`);
  }
  if (status !== undefined) {
    const name = filterName(status);
    if (name === undefined)
      throw new WorkflowClientError("workflow_invalid", `Cannot list workflows: there is no status ${status}`);
    conditions.push(`ExecutionStatus = '${name}'`);
  }
  return conditions.join(" AND ");
}
