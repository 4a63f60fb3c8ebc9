import { Problem, type ProblemIssue, problemResponse } from "#infra/http/problem.ts";
import { targetOf } from "#infra/http/target.ts";
import { toProblem } from "#infra/http/to-problem.ts";
import { traceOf } from "#infra/http/trace.ts";
import { pointerOf } from "#infra/json/pointer.ts";
import type { Log } from "#runtime";

/** What {@link answerError} needs beside the error. */
export interface ErrorContext {
  readonly request: Request;
  /** Elysia's word for where the error came from, as in `PARSE`. */
  readonly code: string | number;
  readonly error: unknown;
  readonly log: Log;
}

/**
 * Answers every error, also the ones Elysia makes itself: nothing leaves as plain text, and nothing of an unexpected
 * error's text leaves at all.
 */
export async function answerError({ request, code, error, log }: ErrorContext): Promise<Response> {
  const problem = fromElysia(code, error) ?? toProblem(error);
  const { traceId } = traceOf(request);
  if (problem.status === 500)
    log("error", "http:failed", {
      traceId,
      method: request.method,
      path: pathOf(request),
      error: textOf(problem.cause ?? error),
    });
  else if (problem.status === 503)
    log("warn", "http:unavailable", {
      traceId,
      method: request.method,
      path: pathOf(request),
      code: problem.code,
      error: textOf(problem.cause),
    });
  return problemResponse(problem, traceId);
}

/** Answers a request that no route took. @param methods those of its path. */
export function noRoute(request: Request, methods: readonly string[]): Response {
  const { traceId } = traceOf(request);
  const headers = { allow: methods.join(", "), "x-trace-id": traceId };
  if (methods.length === 0)
    return problemResponse(new Problem(404, "not_found", "There is nothing at this path"), traceId);
  if (request.method === "OPTIONS") return new Response(null, { status: 204, headers });
  return problemResponse(
    new Problem(405, "method_not_allowed", `${request.method.slice(0, 20)} is not allowed here`, { headers }),
    traceId,
  );
}

/** The answer to `HEAD`, from that to `GET`. */
export async function headOf({ status, headers, body }: Response): Promise<Response> {
  await body?.cancel();
  return new Response(null, { status, headers });
}

/** Elysia's own errors, where a route uses its schemas or parsers. */
function fromElysia(code: string | number, error: unknown): Problem | undefined {
  if (code === "PARSE") return new Problem(400, "body.malformed", "The body cannot be read");
  if (code === "INVALID_COOKIE_SIGNATURE") return new Problem(400, "cookie.malformed", "A cookie cannot be read");
  if (code === "INVALID_FILE_TYPE") return new Problem(415, "media_type.unsupported", "The file type is not supported");
  if (code !== "VALIDATION") return undefined;
  const issues = ((error as { all?: readonly { path?: unknown; message?: unknown }[] }).all ?? []).map(
    ({ path, message }): ProblemIssue => ({
      path: placeOf(path),
      message: typeof message === "string" ? message : "does not fit",
    }),
  );
  return new Problem(422, "invalid_input", "The content does not fit: see errors", { issues });
}

function placeOf(path: unknown): string {
  if (Array.isArray(path)) {
    const keyed = (part: unknown): part is { readonly key: unknown } =>
      typeof part === "object" && part !== null && "key" in part;
    return pointerOf(path.map((part: unknown) => String(keyed(part) ? part.key : part)));
  }
  return typeof path === "string" ? path : "";
}

function pathOf(request: Request): string {
  try {
    return targetOf(request).path;
  } catch {
    return "";
  }
}

function textOf(error: unknown): string | undefined {
  if (error === undefined) return undefined;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
