/** One place of a request that does not fit. `path` is a JSON pointer, or `query/limit`, `header/…`, `line 3, column 5`. */
export interface ProblemIssue {
  readonly path: string;
  readonly message: string;
  readonly expected?: string;
  readonly received?: string;
  /** The place in what was sent, with a caret below it. */
  readonly excerpt?: string;
}

/** The body of every error answer (RFC 9457), as `application/problem+json`. */
export interface ProblemBody {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** Stable and greppable, as in `order.out_of_stock`. */
  readonly code: string;
  readonly traceId: string;
  readonly errors?: readonly ProblemIssue[];
}

/** Thrown by a route to answer with a problem. Its texts are public: never put an internal error's message in. */
export class Problem extends Error {
  readonly status: number;
  readonly code: string;
  readonly issues: readonly ProblemIssue[] | undefined;
  /** Seconds, for 429 and 503. */
  readonly retryAfter: number | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: string,
    detail: string,
    more: {
      issues?: readonly ProblemIssue[];
      retryAfter?: number;
      headers?: Readonly<Record<string, string>>;
      cause?: unknown;
    } = {},
  ) {
    super(detail, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = "Problem";
    this.status = status;
    this.code = code;
    this.issues = more.issues;
    this.retryAfter = more.retryAfter;
    this.headers = more.headers ?? {};
  }
}

/** Issues of one answer, at most. */
const MAX_ISSUES = 200;

/** The media type of every error answer. */
export const PROBLEM_MEDIA_TYPE = "application/problem+json";

/** What each status says to people; the `title` of a problem never varies with the occurrence (RFC 9457, 3.1.3). */
const TITLES: Readonly<Record<number, string>> = {
  400: "The request cannot be read",
  401: "Authentication is needed",
  403: "Not allowed",
  404: "Not found",
  405: "The method is not allowed here",
  409: "In conflict with the current state",
  413: "The request is too large",
  415: "The media type is not supported",
  421: "This server does not answer for that host",
  422: "The content does not fit",
  426: "Another protocol is needed",
  429: "Too many requests",
  500: "Something went wrong here",
  503: "Not available right now",
};

/** The body of a problem, with the trace under which its cause is found in the log. */
export function problemBody(problem: Problem, traceId: string): ProblemBody {
  return {
    type: "about:blank",
    title: TITLES[problem.status] ?? "Error",
    status: problem.status,
    detail: problem.message,
    code: problem.code,
    traceId,
    ...(problem.issues === undefined ? {} : { errors: problem.issues.slice(0, MAX_ISSUES) }),
  };
}

/** The answer a problem becomes: `application/problem+json`, never cached, with `Retry-After` where a retry may help. */
export function problemResponse(problem: Problem, traceId: string): Response {
  const headers = new Headers(problem.headers);
  headers.set("content-type", PROBLEM_MEDIA_TYPE);
  headers.set("cache-control", "no-store");
  headers.set("x-trace-id", traceId);
  if (problem.retryAfter !== undefined) headers.set("retry-after", String(problem.retryAfter));
  return new Response(JSON.stringify(problemBody(problem, traceId)), { status: problem.status, headers });
}
