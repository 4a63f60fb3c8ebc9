import { WorkflowClientError } from "./client-error.ts";
import type { Temporal } from "./connection.ts";

/** What the id of another cluster begins with. None of ours does, before the prefix is put on. */
const OTHER_CLUSTER = /^[a-z][a-z0-9]{0,30}\.[^/]*\//;

/**
 * A workflow id as Temporal knows it: with the prefix of the cluster.
 * @throws {WorkflowClientError} `workflow_not_found` for an id that could be of another cluster in the same namespace.
 */
export function idThere({ prefix }: Pick<Temporal, "prefix">, workflowId: string): string {
  if (OTHER_CLUSTER.test(workflowId))
    throw new WorkflowClientError("workflow_not_found", `There is no workflow ${workflowId} in this cluster`);
  return prefix + workflowId;
}
