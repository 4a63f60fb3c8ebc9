import { CallError, type CallIssue, RefusedCall } from "./errors.ts";

/** Answers that may pass by themselves. */
const PASSING = new Set([429, 502, 503, 504]);
/** Those among them that somebody has to see to: to ask again and again would not help. */
const LASTING = new Set(["paused", "state_unreadable", "index_incomplete"]);

interface ProblemText {
  readonly code?: string;
  readonly detail?: string;
  readonly traceId?: string;
  readonly errors?: readonly CallIssue[];
  readonly reason?: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

/** The error that an answer other than 2xx stands for. What is no problem of a door is `unreachable`: a proxy answered. */
export async function errorOf(response: Response): Promise<CallError> {
  const { status } = response;
  const problem = parsed(await response.text().catch(() => ""));
  const { code, detail, traceId, errors = [], reason, data = {} } = problem;
  if (status === 409 && reason !== undefined) return new RefusedCall(reason, data, traceId);
  const retryable = PASSING.has(status) && !LASTING.has(code ?? "");
  return new CallError(code ?? "unreachable", detail ?? `The server answered ${status}`, {
    status,
    retryable,
    issues: errors,
    traceId,
  });
}

/** Milliseconds that an answer asks to wait. */
export function retryAfterMs(response: Response): number {
  const seconds = Number(response.headers.get("retry-after"));
  return Number.isFinite(seconds) && seconds > 0 ? seconds * 1_000 : 0;
}

function parsed(text: string): ProblemText {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}
