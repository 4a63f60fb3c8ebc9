/**
 * The last traces, in memory: what the pages show where no other place for them is configured.
 *
 * Owns: the spans it was given. Does not own: which traces are recorded.
 *
 * T1 it holds about `maxBytes` at most: the trace that began first goes first.
 * T2 one trace takes a quarter of that at most: what comes later of it is counted, not kept.
 */
import { SpanKind, SpanStatusCode } from "@opentelemetry/api";
import type { ReadableSpan, SpanProcessor } from "@opentelemetry/sdk-trace";

/** A value of an attribute. */
export type AttributeValue = string | number | boolean | readonly (string | number | boolean)[];

/** A span as it is shown. */
export interface KeptSpan {
  readonly spanId: string;
  readonly parentSpanId: string | null;
  readonly name: string;
  readonly kind: "internal" | "server" | "client" | "producer" | "consumer";
  /** `service.name` of the process that told of it. */
  readonly service: string;
  /** Milliseconds since the epoch, with their fractions. */
  readonly startMs: number;
  readonly endMs: number;
  /** Why it failed; `null` where it did not. */
  readonly failure: string | null;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
}

/** A trace in a list. */
export interface TraceSummary {
  readonly traceId: string;
  /** Of its first span. */
  readonly name: string;
  /** Whether that is the root of the trace: else another process may have it. */
  readonly root: boolean;
  readonly startMs: number;
  readonly endMs: number;
  readonly spans: number;
  readonly failures: number;
}

/** What is asked of a list. */
export interface TraceFilter {
  /** In the name of any of its spans, or in a value of their attributes: an order's id, as it is. */
  readonly text?: string | undefined;
  readonly failed?: boolean | undefined;
  readonly minDurationMs?: number | undefined;
}

interface Kept {
  readonly spans: KeptSpan[];
  bytes: number;
  dropped: number;
  failures: number;
  startMs: number;
  endMs: number;
  /** The span that began first, roots before others. */
  first: KeptSpan;
}

/** What an object of a span costs beside its texts, about. */
const SPAN_BYTES = 400;
const DEFAULT_BYTES = 32 * 1024 * 1024;

/**
 * A span processor that keeps the last traces, to be looked at in this process.
 *
 * @example
 * ```ts
 * const traces = new TraceStore();
 * const tracing = openOtel({ processors: [traces] });
 * for (const { traceId, name } of traces.list({ failed: true }, 10)) console.log(name, traces.get(traceId)?.spans);
 * ```
 */
export class TraceStore implements SpanProcessor {
  readonly #maxBytes: number;
  readonly #traces = new Map<string, Kept>();
  #bytes = 0;

  /** @param maxBytes about what all of it may take. Default 32 MiB. */
  constructor(maxBytes = DEFAULT_BYTES) {
    this.#maxBytes = maxBytes;
  }

  /** About what it takes now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes a span, of this process or another one. */
  add(traceId: string, span: KeptSpan): void {
    const bytes = bytesOf(span);
    const kept = this.#traces.get(traceId);
    if (kept === undefined) {
      const { startMs, endMs } = span;
      const failures = span.failure === null ? 0 : 1;
      this.#traces.set(traceId, { spans: [span], bytes, dropped: 0, failures, startMs, endMs, first: span });
    } else if (kept.bytes + bytes > this.#maxBytes / 4) {
      kept.dropped++; // TraceStore.T2
      return;
    } else {
      kept.spans.push(span);
      kept.bytes += bytes;
      kept.startMs = Math.min(kept.startMs, span.startMs);
      kept.endMs = Math.max(kept.endMs, span.endMs);
      if (span.failure !== null) kept.failures++;
      if (isBefore(span, kept.first)) kept.first = span;
    }
    this.#bytes += bytes;
    for (const [oldest, { bytes: freed }] of this.#traces) {
      if (this.#bytes <= this.#maxBytes || this.#traces.size === 1) break;
      this.#traces.delete(oldest); // TraceStore.T1
      this.#bytes -= freed;
    }
  }

  /** Its spans by the time they began, and how many there was no room for; `undefined`: it is not there, or not any more. */
  get(traceId: string): { readonly spans: readonly KeptSpan[]; readonly dropped: number } | undefined {
    const kept = this.#traces.get(traceId);
    if (kept === undefined) return undefined;
    return { spans: kept.spans.toSorted((a, b) => a.startMs - b.startMs), dropped: kept.dropped };
  }

  /** Traces that fit, the one that began last first; those behind `before`, where that is given. */
  list(filter: TraceFilter, limit: number, before?: TracePlace): TraceSummary[] {
    const found: TraceSummary[] = [];
    for (const [traceId, kept] of this.#traces) {
      const { startMs } = kept;
      if (before !== undefined && byPlace({ startMs, traceId }, before) <= 0) continue;
      if (fits(kept, filter)) found.push(summaryOf(traceId, kept));
    }
    return found.toSorted(byPlace).slice(0, limit);
  }

  /** A trace without its spans; `undefined`: it is not there, or not any more. */
  summary(traceId: string): TraceSummary | undefined {
    const kept = this.#traces.get(traceId);
    return kept === undefined ? undefined : summaryOf(traceId, kept);
  }

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    const { traceId, spanId } = span.spanContext();
    const { status, attributes, links, resource, parentSpanContext } = span;
    this.add(traceId, {
      spanId,
      parentSpanId: parentSpanContext?.spanId ?? null,
      name: span.name,
      kind: KINDS[span.kind],
      service: String(resource.attributes["service.name"] ?? "unknown"),
      startMs: toMs(span.startTime),
      endMs: toMs(span.endTime),
      failure: status.code === SpanStatusCode.ERROR ? (status.message ?? "") : null,
      attributes: attributes as Record<string, AttributeValue>,
      links: links.map(({ context }) => ({ traceId: context.traceId, spanId: context.spanId })),
    });
  }

  forceFlush(): Promise<void> {
    return Promise.resolve();
  }

  shutdown(): Promise<void> {
    return Promise.resolve();
  }
}

const KINDS: Readonly<Record<SpanKind, KeptSpan["kind"]>> = {
  [SpanKind.INTERNAL]: "internal",
  [SpanKind.SERVER]: "server",
  [SpanKind.CLIENT]: "client",
  [SpanKind.PRODUCER]: "producer",
  [SpanKind.CONSUMER]: "consumer",
};

/** Where a trace stands in a list. */
export interface TracePlace {
  readonly startMs: number;
  readonly traceId: string;
}

/** The newest first; of two that began at once, by their id. */
export function byPlace(one: TracePlace, other: TracePlace): number {
  return other.startMs - one.startMs || (one.traceId < other.traceId ? -1 : one.traceId > other.traceId ? 1 : 0);
}

function summaryOf(traceId: string, { first, startMs, endMs, spans, dropped, failures }: Kept): TraceSummary {
  const root = first.parentSpanId === null;
  return { traceId, name: first.name, root, startMs, endMs, spans: spans.length + dropped, failures };
}

function toMs([seconds, nanoseconds]: readonly [number, number]): number {
  return seconds * 1_000 + nanoseconds / 1_000_000;
}

function isBefore(one: KeptSpan, other: KeptSpan): boolean {
  const isRoot = one.parentSpanId === null;
  return isRoot === (other.parentSpanId === null) ? one.startMs < other.startMs : isRoot;
}

function fits({ spans, failures, startMs, endMs }: Kept, { text, failed, minDurationMs = 0 }: TraceFilter): boolean {
  if (failed !== undefined && failed !== failures > 0) return false;
  if (endMs - startMs < minDurationMs) return false;
  if (text === undefined) return true;
  return spans.some(
    ({ name, attributes }) =>
      name.includes(text) || Object.values(attributes).some((value) => String(value).includes(text)),
  );
}

function bytesOf({ name, failure, attributes, links }: KeptSpan): number {
  let length = name.length + (failure?.length ?? 0) + links.length * 50;
  for (const [key, value] of Object.entries(attributes)) length += key.length + String(value).length;
  return SPAN_BYTES + 2 * length;
}
