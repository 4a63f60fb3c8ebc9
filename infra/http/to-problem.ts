import { isDatabaseAway } from "#infra/postgres/pool.ts";
import { WorkflowClientError } from "#infra/temporal/client-error.ts";
import { InvalidInputError, OverloadedError, RefusedError, TroupeError, type TroupeErrorCode } from "#runtime";
import { Problem } from "./problem.ts";
import { refusalAnswer, type RefusedBy } from "./refusals.ts";

const RETRY_AFTER_SECONDS = 1;
const AGAIN = "try again, with the same Idempotency-Key where there was one";

/** The runtime's codes whose answer does not depend on the call. The others are handled by hand or are our own fault. */
const UNAVAILABLE: Partial<Record<TroupeErrorCode, string>> = {
  commit_failed: `Nothing was written: ${AGAIN}`,
  fenced: `Nothing was written, because ownership has just moved: ${AGAIN}`,
  deadline_exceeded: `There was no answer in time, and it may still take effect: ${AGAIN}`,
  paused: `It takes no changes for now, until somebody has looked at it: ${AGAIN}`,
  unavailable: `The part that answers this cannot be reached: ${AGAIN}`,
  ask_failed: `Something that this needs cannot be reached: ${AGAIN}`,
  cancelled: `The request was given up before its answer came, and it may still take effect: ${AGAIN}`,
  state_unreadable: "What is stored was written by another version of this service: try again later",
  index_incomplete: `The index this needs is still being filled: ${AGAIN}`,
  stopping: `This process is stopping: ${AGAIN}`,
};

/**
 * The problem any thrown value becomes. Only texts made for the public pass: a {@link Problem}'s, a refusal's reason, the
 * issues of an input. Everything else is a 500 that says nothing; its cause belongs in the log.
 * @param by the actor that may have refused, and what its refusals mean; an endpoint's spec is one.
 */
export function toProblem(error: unknown, by?: RefusedBy): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof RefusedError) {
    const { status, code, detail } = refusalAnswer(error.reason, by);
    return new Problem(status, code, detail, { cause: error });
  }
  if (error instanceof InvalidInputError) {
    return new Problem(422, "invalid_input", "The content does not fit: see errors", {
      issues: error.issues,
      cause: error,
    });
  }
  if (error instanceof TroupeError) return troupeProblem(error);
  if (error instanceof WorkflowClientError) return workflowProblem(error);
  // Lists and dead letters are read from the store itself, past every actor.
  if (isDatabaseAway(error))
    return new Problem(503, "unavailable", UNAVAILABLE.unavailable ?? "", {
      retryAfter: RETRY_AFTER_SECONDS,
      cause: error,
    });
  return internal(error);
}

function troupeProblem(error: TroupeError): Problem {
  const detail = UNAVAILABLE[error.code];
  if (detail !== undefined)
    return new Problem(503, error.code, detail, { retryAfter: RETRY_AFTER_SECONDS, cause: error });
  switch (error.code) {
    case "overloaded":
      return new Problem(503, "overloaded", `More comes than can be taken at present: ${AGAIN}`, {
        retryAfter: error instanceof OverloadedError ? Math.ceil(error.retryAfterMs / 1_000) : RETRY_AFTER_SECONDS,
        cause: error,
      });
    case "mailbox_full":
      return new Problem(429, "mailbox_full", `Too many messages wait for the same thing: ${AGAIN}`, {
        retryAfter: RETRY_AFTER_SECONDS,
        cause: error,
      });
    case "message_id_reused":
      return keyReused();
    case "state_too_large":
    case "event_too_large":
      return new Problem(422, error.code, "What this would store is over the size limit", { cause: error });
    default:
      return internal(error);
  }
}

/** The client's messages are the SDK's: they stay in the log. */
function workflowProblem(error: WorkflowClientError): Problem {
  const cause = { cause: error };
  switch (error.code) {
    case "workflow_not_found":
      return new Problem(404, "workflow.not_found", "There is no such workflow, or it has ended", cause);
    case "workflow_conflict":
      return new Problem(409, "workflow.conflict", "This workflow was started before with another input", cause);
    case "workflow_invalid":
      return new Problem(
        422,
        "workflow.invalid",
        "The workflow has nothing of that name, or cannot take the request",
        cause,
      );
    case "workflow_failed":
      return new Problem(409, "workflow.refused", "The workflow refused the request", cause);
    case "temporal_unavailable":
      return new Problem(503, "unavailable", `Temporal did not answer: ${AGAIN}`, {
        retryAfter: RETRY_AFTER_SECONDS,
        ...cause,
      });
  }
}

/** The key was used before for something else: taking it would answer a question nobody asked. */
export function keyReused(): Problem {
  return new Problem(
    422,
    "idempotency.key_reused",
    "This Idempotency-Key was used before with another request: use a new key for a new request",
  );
}

function internal(cause: unknown): Problem {
  return new Problem(500, "internal", "Something went wrong here. The trace id finds the cause in the log", { cause });
}
