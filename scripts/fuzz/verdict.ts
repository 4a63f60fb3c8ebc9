import { hostIn } from "#infra/http/target.ts";
import type { Input } from "./inputs.ts";
import type { WireAnswer } from "./wire.ts";

/** Signs that something of the inside got out: a stack, a path of ours, an error of a library. */
const INSIDE = [/\n\s+at /, /node_modules/, /\.ts:\d+/, /PostgresError|TypeError|RangeError|SyntaxError/];

/**
 * What is wrong with an answer; `undefined`: nothing.
 *
 * Never a 5xx but 503 with `Retry-After`, and that only where `mayBeAway` says so. Every failure is a problem that tells its trace and
 * code. Nothing of the inside, and no secret, is in any answer. A request that is no HTTP is the server's own: 400, 413, 414 or 431 with
 * nothing said, or a closed connection.
 */
export function faultOf(
  { asker, request }: Input,
  { status, headers, body }: WireAnswer,
  secrets: readonly string[],
  mayBeAway: (target: string) => boolean,
): string | undefined {
  for (const secret of secrets)
    if (body.includes(secret) || [...headers.values()].join().includes(secret)) return "a secret is in the answer";
  for (const sign of INSIDE) if (sign.test(body)) return `${String(sign)} is in the answer`;
  if (headers.has("x-injected")) return "a header was injected";
  const bare = headers.get("x-trace-id") === null && body === "";
  if (bare && [0, 400, 413, 414, 431, 505].includes(status)) return isHttp(request) ? `a bare ${status}` : undefined;
  if (hasHostileHost(request) && isHttp(request))
    return status === 400 ? undefined : `a ${status} for a Host that is none`;
  if (status >= 500 && !(status === 503 && headers.has("retry-after") && mayBeAway(request.target)))
    return `a ${status}`;
  if (status < 400)
    return asker === "admin" || isOpen(request.target) || status === 204 ? undefined : `a ${status} for ${asker}`;
  if (status === 401 && !headers.has("www-authenticate")) return "a 401 without WWW-Authenticate";
  if (status === 405 && !headers.has("allow")) return "a 405 without Allow";
  if (headers.get("x-trace-id") === null) return `a ${status} without a trace`;
  if (request.method === "HEAD") return undefined;
  if (headers.get("content-type") !== "application/problem+json") return `a ${status} that is no problem`;
  return problemFault(body, status, headers.get("x-trace-id"));
}

function problemFault(body: string, status: number, traceId: string | null): string | undefined {
  const problem = JSON.parse(body) as Record<string, unknown>;
  if (problem["status"] !== status || problem["traceId"] !== traceId) return "a problem that contradicts its answer";
  const texts = ["type", "title", "detail", "code", "traceId"].map((name) => problem[name]);
  return texts.every((text) => typeof text === "string" && text !== "") ? undefined : "a problem that lacks a member";
}

/** Whether a request names no host, or several. */
function hasHostileHost({ headers }: Input["request"]): boolean {
  const hosts = headers.filter(([name]) => name === "host").map(([, value]) => value.trim());
  return hosts.length > 1 || hosts.some((host) => hostIn(host) === undefined);
}

/** Everybody may ask for these. */
const OPEN = /^\/(?:$|health|ready|console|openapi|shop|simulator|assets|config\/schema$)/;

/** Dots in a path lead where they lead for every reader of URLs. */
function isOpen(target: string): boolean {
  return OPEN.test(new URL(`http://localhost${target}`).pathname);
}

/** Whether a request is one a server must take for HTTP: others are answered by Bun itself. */
function isHttp({ method, target, headers, body }: Input["request"]): boolean {
  // oxlint-disable-next-line no-control-regex -- what no request line may hold
  const wrong = /[\u0000-\u0020\u007f-\uffff]/;
  if (wrong.test(target) || target.length > 4_000 || method === "PROPFIND") return false;
  if (headers.some(([name, value]) => value.length > 4_000 || (name === "expect" && body === undefined))) return false;
  // oxlint-disable-next-line no-control-regex -- what no header may hold
  return !headers.some(([, value]) => /[\u0000-\u0008\u000a-\u001f\u007f-\uffff]/.test(value));
}
