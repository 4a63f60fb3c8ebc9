import { WorkflowFailedError } from "@temporalio/client";
import { ApplicationFailure } from "@temporalio/common";
import type { Temporal } from "#infra/temporal/connection.ts";
import { idThere } from "#infra/temporal/workflow-id.ts";
import type { WorkflowSummary } from "./list-runs.ts";
import { statusName } from "./run-status.ts";

/** A run in full. */
export interface WorkflowDescription extends WorkflowSummary {
  readonly taskQueue: string;
  /** `null` until the run has completed. */
  readonly result: unknown;
  /** Why the run ended without a result: the `type` of the failure (an actor's reason), or its class. */
  readonly failure: { readonly type: string; readonly message: string } | null;
  /** Activities that are running or wait for their next try. Local activities do not show here. */
  readonly pendingActivities: readonly {
    readonly type: string;
    readonly attempt: number;
    readonly lastFailure: string | null;
  }[];
  readonly memo: Readonly<Record<string, unknown>>;
  /** As in `{ OrderId: "ord_42" }`. */
  readonly searchAttributes: Readonly<Record<string, unknown>>;
}

/** Describes the newest run of a workflow id. */
export async function describeRun(temporal: Temporal, workflowId: string): Promise<WorkflowDescription> {
  const { client } = temporal;
  const id = idThere(temporal, workflowId);
  const run = await client.workflow.getHandle(id).describe();
  const status = statusName(run.status.code);
  const ended = run.closeTime === undefined ? { result: null, failure: null } : await outcomeOf();
  return {
    workflowId,
    runId: run.runId,
    type: run.type,
    status,
    startedAt: run.startTime.toISOString(),
    closedAt: run.closeTime?.toISOString() ?? null,
    taskQueue: run.taskQueue,
    ...ended,
    pendingActivities: (run.raw.pendingActivities ?? []).map(({ activityType, attempt, lastFailure }) => ({
      type: activityType?.name ?? "",
      attempt: attempt ?? 1,
      lastFailure: lastFailure?.message ?? null,
    })),
    memo: run.memo ?? {},
    searchAttributes: Object.fromEntries(run.typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value])),
  };

  async function outcomeOf(): Promise<Pick<WorkflowDescription, "result" | "failure">> {
    try {
      const handle = client.workflow.getHandle(id, run.runId, { followRuns: false });
      return { result: (await handle.result()) ?? null, failure: null };
    } catch (error) {
      if (!(error instanceof WorkflowFailedError)) {
        if (status === "CONTINUED_AS_NEW") return { result: null, failure: null };
        throw error;
      }
      const cause = error.cause ?? error;
      const type = cause instanceof ApplicationFailure ? (cause.type ?? cause.name) : cause.name;
      return { result: null, failure: { type, message: cause.message } };
    }
  }
}
