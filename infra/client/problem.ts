import { CallError, type CallIssue, RefusedCall } from "./errors.ts";
import { TryFailed } from "./line.ts";

/** Answers that may pass by themselves. */
const PASSING = new Set([429, 502, 503, 504]);
/** Those among them that somebody has to see to: to ask again and again would not help. */
const LASTING = new Set(["paused", "state_unreadable", "index_incomplete"]);

/** What a door says of a failure. */
export interface ProblemText {
  readonly code?: string;
  readonly detail?: string;
  readonly traceId?: string;
  readonly errors?: readonly CallIssue[];
  readonly reason?: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

/** The failure that an answer other than 2xx stands for. What is no problem of a door is `unreachable`: a proxy answered. */
export async function failureOf(response: Response): Promise<TryFailed> {
  const seconds = Number(response.headers.get("retry-after"));
  return failed(response.status, parsed(await response.text().catch(() => "")), seconds);
}

/** The failure of a status and its problem. */
export function failed(status: number, problem: ProblemText, retryAfterSeconds = 0): TryFailed {
  const { code, detail, traceId, errors = [], reason, data = {} } = problem;
  if (status === 409 && reason !== undefined) return new TryFailed(new RefusedCall(reason, data, traceId));
  const retryable = PASSING.has(status) && !LASTING.has(code ?? "");
  const error = new CallError(code ?? "unreachable", detail ?? `The server answered ${status}`, {
    status,
    retryable,
    issues: errors,
    traceId,
  });
  return new TryFailed(error, retryAfterSeconds > 0 ? retryAfterSeconds * 1_000 : 0);
}

/** There was no answer of a door. */
export function unreachable(cause: unknown): CallError {
  return new CallError("unreachable", "The server cannot be reached", { retryable: true, cause });
}

function parsed(text: string): ProblemText {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}
