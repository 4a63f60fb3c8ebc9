import { Problem, type ProblemIssue, problemResponse } from "#infra/http/problem.ts";
import { toProblem } from "#infra/http/to-problem.ts";
import { traceOf } from "#infra/http/trace.ts";
import type { Log } from "#runtime";
import type { Allowed } from "./allow.ts";

/** What {@link answerError} needs beside the error. */
export interface ErrorContext {
  readonly request: Request;
  /** Elysia's word for where the error came from, as in `NOT_FOUND`. */
  readonly code: string | number;
  readonly error: unknown;
  readonly allowed: Allowed;
  readonly log: Log;
  /** Answers a request as the whole application would. */
  readonly again: (request: Request) => Promise<Response>;
}

/**
 * Answers every error, also the ones Elysia makes itself: nothing leaves as plain text, and nothing of an unexpected
 * error's text leaves at all. `HEAD` and `OPTIONS` come here too, as no route takes them.
 */
export async function answerError(context: ErrorContext): Promise<Response> {
  const { request, code, error } = context;
  if (code === "NOT_FOUND" && !(error instanceof Problem)) return noRoute(context);
  const problem = fromElysia(code, error) ?? toProblem(error);
  const { traceId } = traceOf(request);
  if (problem.status === 500)
    context.log("error", "http:failed", {
      traceId,
      method: request.method,
      path: pathOf(request),
      error: textOf(problem.cause ?? error),
    });
  else if (problem.status === 503)
    context.log("warn", "http:unavailable", {
      traceId,
      method: request.method,
      path: pathOf(request),
      code: problem.code,
      error: textOf(problem.cause),
    });
  return problemResponse(problem, traceId);
}

async function noRoute({ request, allowed, again }: ErrorContext): Promise<Response> {
  const methods = allowed(pathOf(request));
  const { traceId, traceparent } = traceOf(request);
  const headers = { allow: methods.join(", "), "x-trace-id": traceId };
  if (methods.length === 0)
    return problemResponse(new Problem(404, "not_found", "There is nothing at this path"), traceId);
  if (request.method === "OPTIONS") return new Response(null, { status: 204, headers });
  if (request.method === "HEAD" && methods.includes("GET")) {
    const sent = new Headers(request.headers);
    sent.set("traceparent", traceparent);
    const {
      status,
      headers: received,
      body,
    } = await again(new Request(request.url, { method: "GET", headers: sent, signal: request.signal }));
    await body?.cancel();
    return new Response(null, { status, headers: received });
  }
  return problemResponse(
    new Problem(405, "method_not_allowed", `${request.method.slice(0, 20)} is not allowed here`, { headers }),
    traceId,
  );
}

/** Elysia's own errors, where a route uses its schemas or parsers. */
function fromElysia(code: string | number, error: unknown): Problem | undefined {
  if (code === "PARSE") return new Problem(400, "body.malformed", "The body cannot be read");
  if (code === "INVALID_COOKIE_SIGNATURE") return new Problem(400, "cookie.malformed", "A cookie cannot be read");
  if (code === "INVALID_FILE_TYPE") return new Problem(415, "media_type.unsupported", "The file type is not supported");
  if (code !== "VALIDATION") return undefined;
  const issues = ((error as { all?: readonly { path?: unknown; message?: unknown }[] }).all ?? []).map(
    ({ path, message }): ProblemIssue => ({
      path: pointerOf(path),
      message: typeof message === "string" ? message : "does not fit",
    }),
  );
  return new Problem(422, "invalid_input", "The content does not fit: see errors", { issues });
}

function pointerOf(path: unknown): string {
  if (Array.isArray(path))
    return path
      .map(
        (part: unknown) => `/${String(typeof part === "object" && part !== null && "key" in part ? part.key : part)}`,
      )
      .join("");
  return typeof path === "string" ? path : "";
}

/** The path of a request without its query. */
export function pathOf(request: Request): string {
  return new URL(request.url).pathname;
}

function textOf(error: unknown): string | undefined {
  if (error === undefined) return undefined;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
