import { isRecorded, type Span, type Tracing } from "#runtime";
import { randomHex, ZERO_SPAN, ZERO_TRACE } from "../base/random-hex.ts";

/** The trace a request belongs to (W3C Trace Context). */
export interface Trace {
  /** 32 hex digits: the `x-trace-id` of the answer. */
  readonly traceId: string;
  /** Handed on to actors, and from there into events. */
  readonly traceparent: string;
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/** All others have one name, so that nobody makes up names. */
const METHODS: ReadonlySet<string> = new Set([
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "PATCH",
  "DELETE",
  "OPTIONS",
  "TRACE",
  "CONNECT",
]);

/** Where a request keeps its trace: a property costs a fraction of an entry in a WeakMap, and every request has one. */
const TRACE = Symbol("trace");
type Traced = Request & { [TRACE]?: Trace };

/**
 * The trace of a request: the caller's where its `traceparent` is well formed, else a new one. The same request has the
 * same trace for its whole life. Our own span id replaces the caller's, so that events are children of this request.
 */
export function traceOf(request: Request): Trace {
  const traced: Traced = request;
  return (traced[TRACE] ??= traceFrom(request.headers.get("traceparent")));
}

/**
 * Begins the span of a request, and with it the trace that {@link traceOf} says: the caller's, or one that begins here.
 * `undefined`: it is not recorded.
 */
export function beginRequest(request: Request, tracing: Tracing | undefined, path: string): Span | undefined {
  const traced: Traced = request;
  if (tracing === undefined || traced[TRACE] !== undefined) return undefined; // whoever handed it on tells of it
  const given = request.headers.get("traceparent");
  const begins = given === null || !isUsable(given);
  const parent = begins ? tracing.root() : tracing.join(given);
  if (!isRecorded(parent)) {
    // One that begins here is nobody else's: it needs no further span id.
    traced[TRACE] = begins ? ownTrace(parent) : traceFrom(parent);
    return undefined;
  }
  const method = METHODS.has(request.method) ? request.method : "_OTHER";
  const span = tracing.begin({
    name: method,
    kind: "server",
    parent,
    attributes: { "http.request.method": method, "url.path": path },
  });
  traced[TRACE] = { traceId: span.traceparent.slice(3, 35), traceparent: span.traceparent };
  return span;
}

/** Ends the span of a request that has its answer. */
export function endRequest(span: Span | undefined, request: Request, route: string | undefined, status: number): void {
  if (span === undefined) return;
  if (route !== undefined) {
    span.rename(`${METHODS.has(request.method) ? request.method : "_OTHER"} ${route}`);
    span.set({ "http.route": route });
  }
  span.set({ "http.response.status_code": status });
  span.end(status >= 500 ? `The answer is ${status}` : undefined);
}

/** Reads a `traceparent`. A malformed one is dropped, as the standard asks: a new trace begins. */
export function traceFrom(traceparent: string | null): Trace {
  if (traceparent === null || !isUsable(traceparent)) return begun();
  const traceId = traceparent.slice(3, 35);
  return { traceId, traceparent: `00-${traceId}-${randomHex(16)}-${traceparent.slice(53, 55)}` };
}

/** Of a `traceparent` that was made here. */
function ownTrace(traceparent: string): Trace {
  return { traceId: traceparent.slice(3, 35), traceparent };
}

function isUsable(traceparent: string): boolean {
  const [, version, traceId, spanId, , rest] = TRACEPARENT.exec(traceparent) ?? [];
  return (
    traceId !== undefined &&
    traceId !== ZERO_TRACE &&
    spanId !== ZERO_SPAN &&
    version !== "ff" &&
    !(version === "00" && rest)
  );
}

function begun(): Trace {
  const traceId = randomHex(32);
  return { traceId, traceparent: `00-${traceId}-${randomHex(16)}-01` };
}
