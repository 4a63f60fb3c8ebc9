import type { GenericSchema } from "valibot";

/**
 * Workflows, as the ingress needs them. Implemented over the workflow client; its failures are thrown as they are meant
 * for the outside: {@link UnknownWorkflowError} and the like are told apart by {@link WorkflowDeskError.kind}.
 */
export interface WorkflowDesk {
  readonly types: readonly WorkflowType[];
  /** Starts a run, or finds the one that was started under the same id with the same input. */
  start(request: { readonly type: string; readonly id: string; readonly input: unknown }): Promise<WorkflowRun>;
  list(page: { readonly type?: string | undefined; readonly status?: string | undefined; readonly limit: number; readonly cursor?: string | undefined }): Promise<WorkflowPage>;
  describe(workflowId: string): Promise<WorkflowDescription>;
  signal(workflowId: string, name: string, input: unknown): Promise<void>;
  update(workflowId: string, name: string, input: unknown, updateId: string | undefined): Promise<unknown>;
  query(workflowId: string, name: string): Promise<unknown>;
  cancel(workflowId: string): Promise<void>;
}

/** A workflow that can be started over HTTP. */
export interface WorkflowType {
  readonly name: string;
  readonly taskQueue: string;
  readonly input: GenericSchema;
}

export interface WorkflowRun {
  readonly workflowId: string;
  readonly runId: string;
}

export interface WorkflowSummary extends WorkflowRun {
  readonly type: string;
  readonly status: string;
  readonly startedAt: string;
  readonly closedAt: string | null;
}

export interface WorkflowPage {
  readonly items: readonly WorkflowSummary[];
  readonly next: string | null;
}

export interface WorkflowDescription extends WorkflowSummary {
  readonly taskQueue: string;
  readonly result: unknown;
  readonly failure: { readonly type: string; readonly message: string } | null;
  readonly pendingActivities: readonly { readonly type: string; readonly attempt: number; readonly lastFailure: string | null }[];
  readonly memo: Readonly<Record<string, unknown>>;
}
