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

/** Reads a `traceparent`. A malformed one is dropped, as the standard asks: a new trace begins. */
export function traceFrom(traceparent: string | null): Trace {
  if (traceparent === null) return begun();
  const [, version, traceId, spanId, flags, rest] = TRACEPARENT.exec(traceparent) ?? [];
  const usable =
    traceId !== undefined &&
    traceId !== ZERO_TRACE &&
    spanId !== ZERO_SPAN &&
    version !== "ff" &&
    !(version === "00" && rest);
  if (!usable) return begun();
  return { traceId, traceparent: `00-${traceId}-${randomHex(16)}-${flags}` };
}

function begun(): Trace {
  const traceId = randomHex(32);
  return { traceId, traceparent: `00-${traceId}-${randomHex(16)}-01` };
}

const POOL_BYTES = 4_096;
/** Made once: a text for each byte of each pool would be most of what a request makes. */
const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
let pool = "";
let used = 0;

/** Digits of a pool: asking for randomness costs more than what comes of it. */
function randomHex(digits: 16 | 32): string {
  if (used + digits > pool.length) {
    const bytes = crypto.getRandomValues(new Uint8Array(POOL_BYTES));
    const parts = new Array<string | undefined>(POOL_BYTES);
    // By index: stepping through bytes makes an object for each.
    for (let i = 0; i < POOL_BYTES; i++) parts[i] = HEX[bytes[i] as number];
    pool = parts.join("");
    used = 0;
  }
  const text = pool.slice(used, (used += digits));
  // All zeros stand for no id. Nobody will ever see it.
  return text === ZERO_TRACE || text === ZERO_SPAN ? randomHex(digits) : text;
}
