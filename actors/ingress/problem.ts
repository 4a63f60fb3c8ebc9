/** One place of a request that does not fit. `path` is a JSON pointer, or `query/limit`, `header/…`, `line 3, column 5`. */
export interface ProblemIssue {
  readonly path: string;
  readonly message: string;
  readonly expected?: string;
  readonly received?: string;
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
    more: { issues?: readonly ProblemIssue[]; retryAfter?: number; headers?: Readonly<Record<string, string>> } = {},
  ) {
    super(detail);
    this.name = "Problem";
    this.status = status;
    this.code = code;
    this.issues = more.issues;
    this.retryAfter = more.retryAfter;
    this.headers = more.headers ?? {};
  }
}
