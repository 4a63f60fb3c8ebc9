/** What pages of other origins may send and read. */
const ALLOWED_HEADERS = "authorization, content-type, idempotency-key, traceparent, x-namespace";
const ALLOWED_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE";
const EXPOSED_HEADERS = "location, ratelimit-limit, ratelimit-remaining, ratelimit-reset, retry-after, x-trace-id";
const PREFLIGHT_SECONDS = "600";

/**
 * The answer to a preflight of an allowed origin; `undefined` for every other request. Credentials of the browser are never
 * allowed: a key comes in a header of its own.
 */
export function preflight(request: Request, origins: readonly string[]): Response | undefined {
  if (request.method !== "OPTIONS") return undefined;
  const origin = request.headers.get("origin");
  if (origin === null || !origins.includes(origin)) return undefined;
  if (!request.headers.has("access-control-request-method")) return undefined;
  return new Response(null, {
    status: 204,
    headers: {
      "access-control-allow-origin": origin,
      "access-control-allow-methods": ALLOWED_METHODS,
      "access-control-allow-headers": ALLOWED_HEADERS,
      "access-control-max-age": PREFLIGHT_SECONDS,
      vary: "origin",
    },
  });
}

/** Lets a page of an allowed origin read the answer. Nothing is said to the pages of any other. */
export function share(request: Request, response: Response, origins: readonly string[]): void {
  if (origins.length === 0) return;
  const { headers } = response;
  headers.append("vary", "origin");
  const origin = request.headers.get("origin");
  if (origin === null || !origins.includes(origin)) return;
  headers.set("access-control-allow-origin", origin);
  headers.set("access-control-expose-headers", EXPOSED_HEADERS);
}
