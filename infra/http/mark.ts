import { traceOf } from "./trace.ts";

/** What every answer says of itself, beside its trace. */
const SNIFFING = { "x-content-type-options": "nosniff" };

const MARKED = Symbol("marked");
type Marked = Response & { [MARKED]?: true };

/**
 * A JSON answer with all that every answer carries. Cheaper than {@link mark}: headers that are given when a response is made
 * cost next to nothing, and each that is set later makes an object of them first.
 */
export function jsonResponse(
  request: Request,
  status: number,
  body: unknown,
  headers: Readonly<Record<string, string>>,
): Response {
  const own = { "x-trace-id": traceOf(request).traceId, ...SNIFFING, ...headers };
  const response: Marked =
    body === undefined
      ? new Response(null, { status, headers: own })
      : new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json", ...own } });
  response[MARKED] = true;
  return response;
}

/** Gives an answer, wherever it was made, what every answer carries. */
export function mark(response: Marked, request: Request): void {
  if (response[MARKED] === true) return;
  const { headers } = response;
  headers.set("x-trace-id", traceOf(request).traceId);
  for (const [name, value] of Object.entries(SNIFFING)) headers.set(name, value);
}
