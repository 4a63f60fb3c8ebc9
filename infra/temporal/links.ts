/** Where the pages of workflows are. */
export interface WorkflowLinks {
  /** The page of a workflow in the Temporal UI; `null` where there is none. */
  workflow(workflowId: string, runId?: string): string | null;
}

/**
 * The page of a workflow in the Temporal UI.
 * @example `workflowLink("http://localhost:8233", "default", "fulfil-order/ord_42")`
 */
export function workflowLink(uiUrl: string, namespace: string, workflowId: string, runId?: string): string {
  const base = `${uiUrl.replace(/\/+$/, "")}/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(workflowId)}`;
  return runId === undefined ? base : `${base}/${encodeURIComponent(runId)}`;
}
