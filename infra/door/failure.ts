import { InvalidInputError, OverloadedError, RefusedError, TroupeError, type TroupeErrorCode } from "#runtime";
import { Problem, problemBody, problemResponse, type ProblemBody } from "../http/problem.ts";

/**
 * The codes a door answers with beside those of the body (`body.*`, `json.*`, `media_type.*`) and the actors' refusals
 * (`<type>.<reason>`), with their statuses. Closed: a client may rely on it.
 *
 * | status | what happens next |
 * |---|---|
 * | 400, 401, 403, 404, 405, 422, 426 | the same call fails again: change it |
 * | 429, 503 | the same call, with the same `Idempotency-Key`, may succeed after `Retry-After` seconds |
 * | 500 | the handler failed, and nothing was written; the cause is in the log under `traceId` |
 *
 * @example
 * ```ts
 * DOOR_STATUSES.mailbox_full; // 429
 * ```
 */
export const DOOR_STATUSES = {
  "path.malformed": 400,
  "idempotency.key_malformed": 400,
  "deadline.malformed": 400,
  "event_id.malformed": 400,
  "batch.malformed": 400,
  unauthenticated: 401,
  forbidden: 403,
  "origin.forbidden": 403,
  not_found: 404,
  "actor.not_found": 404,
  "message.not_found": 404,
  method_not_allowed: 405,
  upgrade_required: 426,
  invalid_input: 422,
  "idempotency.key_reused": 422,
  state_too_large: 422,
  event_too_large: 422,
  mailbox_full: 429,
  "calls.full": 429,
  internal: 500,
  overloaded: 503,
  commit_failed: 503,
  fenced: 503,
  deadline_exceeded: 503,
  unavailable: 503,
  ask_failed: 503,
  cancelled: 503,
  state_unreadable: 503,
  index_incomplete: 503,
  paused: 503,
  stopping: 503,
  "streams.full": 503,
  "sockets.full": 503,
} as const;

/** One of the codes of {@link DOOR_STATUSES}. */
export type DoorCode = keyof typeof DOOR_STATUSES;

/** A problem of a door. */
export function doorProblem(code: DoorCode, detail: string, more?: ConstructorParameters<typeof Problem>[3]): Problem {
  return new Problem(DOOR_STATUSES[code], code, detail, more);
}

const SAME_KEY = "try again, with the same Idempotency-Key";
const RETRY_AFTER_SECONDS = 1;

/** What may pass by itself. The other codes of the runtime are the caller's fault or the handler's. */
const PASSING: Partial<Record<TroupeErrorCode, string>> = {
  mailbox_full: `Too many messages wait for this actor: ${SAME_KEY}`,
  overloaded: `More comes than can be taken at present: ${SAME_KEY}`,
  commit_failed: `Nothing was written: ${SAME_KEY}`,
  fenced: `Nothing was written, because the actor is moving: ${SAME_KEY}`,
  deadline_exceeded: `There was no answer in time, and it may still take effect: ${SAME_KEY}`,
  unavailable: `The node of this actor cannot be reached: ${SAME_KEY}`,
  ask_failed: `Another actor that this one asks cannot be reached: ${SAME_KEY}`,
  cancelled: `The call was given up before its answer came, and it may still take effect: ${SAME_KEY}`,
  state_unreadable: "The stored state was written by another version of this service: try again later",
  index_incomplete: `The index this needs is still being filled: ${SAME_KEY}`,
  paused: `The actor takes no commands for now: ${SAME_KEY}`,
  stopping: `This node is stopping: ${SAME_KEY}`,
};

/** The problem any thrown value becomes. Only texts made for callers pass; everything else is `internal`. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (!(error instanceof TroupeError)) return internal(error);
  const detail = PASSING[error.code];
  if (detail !== undefined) {
    const seconds = error instanceof OverloadedError ? Math.ceil(error.retryAfterMs / 1_000) : RETRY_AFTER_SECONDS;
    return doorProblem(error.code as DoorCode, detail, { retryAfter: Math.max(1, seconds), cause: error });
  }
  if (error instanceof InvalidInputError) {
    return doorProblem("invalid_input", "The content does not fit: see errors", { issues: error.issues, cause: error });
  }
  switch (error.code) {
    case "message_id_reused":
      return doorProblem("idempotency.key_reused", "This Idempotency-Key was used before with another request", {
        cause: error,
      });
    case "state_too_large":
    case "event_too_large":
      return doorProblem(error.code, "What this would store is over the size limit", { cause: error });
    default:
      return internal(error);
  }
}

function internal(cause: unknown): Problem {
  return doorProblem("internal", "Something went wrong here. The trace id finds the cause in the log", { cause });
}

/** The body of a refusal: a problem that also holds the actor's own word, for programs. */
export interface RefusalBody extends ProblemBody {
  readonly reason: string;
  /** Unless the door keeps it to itself. */
  readonly data?: Readonly<Record<string, unknown>>;
}

/** What a failed call is answered with, by whichever way it came. */
export interface Failure {
  readonly status: number;
  readonly body: ProblemBody | RefusalBody;
  readonly problem: Problem;
}

/** What any thrown value is answered with. A refusal is a 409 `<type>.<reason>` that carries its `reason` and `data`. */
export function failureOf(error: unknown, type: string, traceId: string, withData: boolean): Failure {
  if (!(error instanceof RefusedError)) {
    const problem = problemOf(error);
    return { status: problem.status, body: problemBody(problem, traceId), problem };
  }
  const { reason, data } = error;
  const problem = new Problem(409, `${type}.${reason}`, `Refused: ${reason.replaceAll("_", " ")}`);
  const body: RefusalBody = { ...problemBody(problem, traceId), reason, ...(withData && { data }) };
  return { status: 409, body, problem };
}

/** The answer over HTTP. */
export function failureResponse({ problem, body }: Failure): Response {
  const { status, headers } = problemResponse(problem, body.traceId);
  return new Response(JSON.stringify(body), { status, headers });
}
