import type { RemoteMethod } from "./types.ts";

/** One place of an input that does not fit. `path` is a JSON pointer. */
export interface CallIssue {
  readonly path: string;
  readonly message: string;
  readonly expected?: string;
  readonly received?: string;
}

/**
 * What every call and stream fails with. `code` is a code of the door (`invalid_input`, `forbidden`, `mailbox_full` …), or one
 * of the client: `unreachable` (no answer that is the door's), `deadline_exceeded`, `cancelled`.
 *
 * @example
 * ```ts
 * const client = connect<{ counter: typeof Counter }>("http://localhost:3000");
 * const error: unknown = await client.ref("counter", "home").add({ by: 1 }).catch((thrown: unknown) => thrown);
 * if (error instanceof CallError && error.code === "invalid_input") console.log(error.issues[0]?.path);
 * ```
 */
export class CallError extends Error {
  readonly code: string;
  /** The HTTP status; 0 where there was no answer. */
  readonly status: number;
  /** Whether it may pass by itself. The client has tried again until the deadline. */
  readonly retryable: boolean;
  readonly issues: readonly CallIssue[];
  /** Under which the server's log tells more. */
  readonly traceId: string | undefined;

  constructor(
    code: string,
    message: string,
    more: {
      readonly status?: number;
      readonly retryable?: boolean;
      readonly issues?: readonly CallIssue[];
      readonly traceId?: string | undefined;
      readonly cause?: unknown;
    } = {},
  ) {
    super(message, more.cause === undefined ? undefined : { cause: more.cause });
    this.name = new.target.name;
    this.code = code;
    this.status = more.status ?? 0;
    this.retryable = more.retryable ?? false;
    this.issues = more.issues ?? [];
    this.traceId = more.traceId;
  }
}

/**
 * The actor refused the message; nothing was written.
 *
 * @example
 * ```ts
 * const client = connect<{ counter: typeof Counter }>("http://localhost:3000");
 * const error: unknown = await client.ref("counter", "home").add({ by: 1 }).catch((thrown: unknown) => thrown);
 * if (error instanceof RefusedCall) console.log(error.reason, error.data);
 * ```
 */
export class RefusedCall extends CallError {
  /** The actor's own word, as in `out_of_stock`. */
  readonly reason: string;
  readonly data: Readonly<Record<string, unknown>>;

  constructor(reason: string, data: Readonly<Record<string, unknown>>, traceId: string | undefined) {
    super("refused", `Refused: ${reason}`, { status: 409, traceId });
    this.reason = reason;
    this.data = data;
  }
}

/**
 * Why a call of `method` was refused, typed by what its command lists in `refuses`; `undefined` for every other error.
 *
 * @example
 * ```ts
 * const client = connect<{ counter: typeof Counter }>("http://localhost:3000");
 * const visits = client.ref("counter", "home");
 * await visits.add({ by: 1 }).catch((error: unknown) => console.log(reasonOf(error, visits.add)));
 * ```
 */
export function reasonOf<Reason extends string>(
  error: unknown,
  // oxlint-disable-next-line no-unused-vars -- says which reasons there are
  method: RemoteMethod<never, unknown, Reason>,
): Reason | undefined {
  return error instanceof RefusedCall ? (error.reason as Reason) : undefined;
}
