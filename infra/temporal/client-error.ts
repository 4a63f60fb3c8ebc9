import {
  QueryNotRegisteredError,
  WorkflowFailedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from "@temporalio/client";
import { ActivityFailure, ApplicationFailure } from "@temporalio/common";
import { GRPC, grpcStatus } from "#infra/temporal/grpc-errors.ts";

/**
 * Why a call of the workflow client failed, as a closed list:
 *
 * | code | meaning |
 * |---|---|
 * | `workflow_not_found` | there is no such workflow, or for a signal, cancel or update: it has ended |
 * | `workflow_conflict` | the id belongs to a run that was started with another type or input |
 * | `workflow_invalid` | Temporal does not take the request: unknown type, query or update name |
 * | `workflow_failed` | the workflow refused the update or query |
 * | `temporal_unavailable` | no answer in time; try again |
 */
export type WorkflowClientErrorCode =
  | "workflow_not_found"
  | "workflow_conflict"
  | "workflow_invalid"
  | "workflow_failed"
  | "temporal_unavailable";

/** A failed call of the workflow client. Its message is the SDK's: fit for the log, not for the outside. */
export class WorkflowClientError extends Error {
  override readonly name = "WorkflowClientError";
  readonly code: WorkflowClientErrorCode;
  /** Why the workflow refused, by the `type` of its failure, as in `already_shipped`. */
  readonly reason: string | undefined;

  constructor(code: WorkflowClientErrorCode, message: string, options?: ErrorOptions & { readonly reason?: string }) {
    super(message, options);
    this.code = code;
    this.reason = options?.reason;
  }
}

/** The {@link WorkflowClientError} of what the SDK threw. */
export function toClientError(error: unknown): WorkflowClientError {
  if (error instanceof WorkflowClientError) return error;
  const cause = { cause: error };
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof WorkflowNotFoundError) return new WorkflowClientError("workflow_not_found", message, cause);
  if (error instanceof QueryNotRegisteredError) return new WorkflowClientError("workflow_invalid", message, cause);
  if (error instanceof WorkflowUpdateFailedError || error instanceof WorkflowFailedError) {
    const reason = reasonOf(error.cause);
    return new WorkflowClientError("workflow_failed", error.cause?.message ?? message, {
      ...cause,
      ...(reason === undefined ? {} : { reason }),
    });
  }
  const status = grpcStatus(error);
  if (status?.code === GRPC.notFound) return new WorkflowClientError("workflow_not_found", status.details, cause);
  if (status?.code === GRPC.invalidArgument) return new WorkflowClientError("workflow_invalid", status.details, cause);
  return new WorkflowClientError("temporal_unavailable", status?.details ?? message, cause);
}

/** The type of the failure at the root: an activity's failure wraps the one of what it called. */
function reasonOf(failure: Error | undefined): string | undefined {
  if (failure instanceof ApplicationFailure) return failure.type ?? undefined;
  return failure instanceof ActivityFailure ? reasonOf(failure.cause) : undefined;
}
