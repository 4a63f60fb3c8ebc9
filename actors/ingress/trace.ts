/** The trace a request belongs to (W3C Trace Context). */
export interface Trace {
  /** 32 hex digits: the `x-trace-id` of the answer. */
  readonly traceId: string;
  /** Handed on to actors, and from there into events. */
  readonly traceparent: string;
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const ZERO_TRACE = "0".repeat(32);
const ZERO_SPAN = "0".repeat(16);

const traces = new WeakMap<Request, Trace>();

/**
 * The trace of a request: the caller's where its `traceparent` is well formed, else a new one. The same request has the
 * same trace for its whole life. Our own span id replaces the caller's, so that events are children of this request.
 */
export function traceOf(request: Request): Trace {
  let trace = traces.get(request);
  if (trace === undefined) traces.set(request, (trace = traceFrom(request.headers.get("traceparent"))));
  return trace;
}

/** Reads a `traceparent`. A malformed one is dropped, as the standard asks: a new trace begins. */
export function traceFrom(traceparent: string | null): Trace {
  const match = traceparent === null ? null : TRACEPARENT.exec(traceparent);
  const [, version, traceId, spanId, flags, rest] = match ?? [];
  const usable =
    traceId !== undefined &&
    traceId !== ZERO_TRACE &&
    spanId !== ZERO_SPAN &&
    version !== "ff" &&
    !(version === "00" && rest);
  const id = usable ? traceId : randomHex(32);
  return { traceId: id, traceparent: `00-${id}-${randomHex(16)}-${usable ? flags : "01"}` };
}

function randomHex(digits: 16 | 32): string {
  const id = crypto.randomUUID().replaceAll("-", "");
  // The fixed version and variant digits of a UUID stand in the middle; for a span id its last 16 have one of them.
  return digits === 32 ? id : id.slice(16);
}
