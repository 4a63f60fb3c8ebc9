/**
 * How a call to the Docker engine can fail, as a closed list. What happens next:
 *
 * | code | retryable | meaning |
 * |---|---|---|
 * | `unavailable` | yes | nothing answers at the engine's address |
 * | `timeout` | yes | the engine did not answer in time; the call may still take effect |
 * | `not_found` | no | there is no such container or image |
 * | `conflict` | no | the name is taken by a container that is not ours |
 * | `port_taken` | yes | the host port is in use |
 * | `already` | no | it runs, or has stopped, already |
 * | `refused` | no | the engine refused the request |
 * | `failed` | yes | the engine answered with an internal error |
 */
export type EngineErrorCode =
  | "unavailable"
  | "timeout"
  | "not_found"
  | "conflict"
  | "port_taken"
  | "already"
  | "refused"
  | "failed";

const RETRYABLE: ReadonlySet<EngineErrorCode> = new Set(["unavailable", "timeout", "port_taken", "failed"]);

/** A failed call to the Docker engine. Its text names the call, never the environment of a container. */
export class EngineError extends Error {
  readonly code: EngineErrorCode;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;

  constructor(code: EngineErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "EngineError";
    this.code = code;
    this.retryable = RETRYABLE.has(code);
  }
}

const UNREACHABLE = new Set([
  "ECONNREFUSED",
  "ENOENT",
  "ECONNRESET",
  "EPIPE",
  "EACCES",
  "ENOTFOUND",
  "EHOSTUNREACH",
  "FailedToOpenSocket",
  "ConnectionRefused",
]);

/** Turns whatever the HTTP client threw into an {@link EngineError}. */
export function toEngineError(action: string, thrown: unknown): EngineError {
  if (thrown instanceof EngineError) return thrown;
  const { statusCode, code, message } = thrown as { statusCode?: number; code?: string; message?: string };
  const detail = (message ?? String(thrown)).slice(0, 300);
  if (statusCode === undefined) {
    const reachable = code !== undefined && !UNREACHABLE.has(code);
    return new EngineError(reachable ? "failed" : "unavailable", `Cannot ${action}: ${detail}`, { cause: thrown });
  }
  const known: EngineErrorCode =
    statusCode === 304
      ? "already"
      : statusCode === 404
        ? "not_found"
        : statusCode === 409
          ? "conflict"
          : /port is already allocated|address already in use/i.test(detail)
            ? "port_taken"
            : statusCode >= 500
              ? "failed"
              : "refused";
  return new EngineError(known, `Cannot ${action}: ${detail}`, { cause: thrown });
}
