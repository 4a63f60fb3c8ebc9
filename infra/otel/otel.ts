/**
 * OpenTelemetry as the runtime's tracing port: spans by the official SDK, made by hand, as nothing patches modules under Bun.
 *
 * Owns: the SDK's provider, which trace is recorded, the trace of an async context. Does not own: what the spans say
 * (`runtime/telemetry/node-spans.ts` and whoever else begins one), and where they are kept (span processors).
 *
 * O1 whether a trace is recorded is decided where it comes in or begins, and stands in the flag of its `traceparent`: the
 *    SDK's own sampler is never asked.
 * O2 a root has no span yet: its `traceparent` has a span id of zeros, which its first span replaces.
 */
import {
  type Context,
  context,
  type Link,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer,
} from "@opentelemetry/api";
import { AsyncLocalStorageContextManager } from "@opentelemetry/context-async-hooks";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { AlwaysOnSampler, type SpanProcessor, TracerProvider } from "@opentelemetry/sdk-trace";
import { isRecorded, type Span, type SpanStart, type Tracing } from "#runtime";
import { randomHex, ZERO_SPAN } from "../base/random-hex.ts";
import { UnrecordedRoots } from "./roots.ts";
import { type Sampling, samplingOf } from "./sampling.ts";
import { spanContextOf, traceparentOf } from "./traceparent.ts";

/** What {@link openOtel} is given. */
export interface OtelOptions {
  /** Where spans go when they are over: `otlpProcessor()`, a {@link TraceStore}, one of your own. */
  readonly processors: readonly SpanProcessor[];
  /** What is told of this process beside its spans. `service.name` is best given. */
  readonly resource?: Readonly<Record<string, string>>;
  /** @default as `OTEL_TRACES_SAMPLER` says */
  readonly sampling?: Sampling;
  /**
   * Whether a call that nobody has said the trace of begins one. Where the requests of a door begin them, what remains is
   * what a process does by itself, as looking every second. @default true
   */
  readonly callsBegin?: boolean;
}

/** A piece of work that is over already, and whose id was given out before: see {@link Otel.record}. */
export interface PastSpan extends SpanStart {
  readonly spanId: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly endedAt: number;
  readonly failure?: string | undefined;
}

/** Tracing by OpenTelemetry. */
export interface Otel extends Tracing {
  /** Runs `work`, and all that it awaits, as a part of `traceparent`: what it calls without saying a trace has this one. */
  within<T>(traceparent: string, work: () => T): T;
  /** The `traceparent` of the work under way in this async context; `undefined` where there is none. */
  active(): string | undefined;
  /** Tells of work that was done, under an id that others know already. */
  record(span: PastSpan): void;
  /** Resolves when all that is over has been handed on. */
  flush(): Promise<void>;
  /** As `flush`, and ends. */
  close(): Promise<void>;
}

const KINDS = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
} as const satisfies Record<SpanStart["kind"], SpanKind>;

/** Of one text: more says nothing more. */
const MAX_TEXT = 512;

/**
 * Starts OpenTelemetry for this process: hand it to `createTroupe` as `tracing`.
 *
 * @throws {OtelSettingError} `OTEL_TRACES_SAMPLER` says nothing we know.
 *
 * @example
 * ```ts
 * const tracing = openOtel({ processors: [otlpProcessor()], resource: { "service.name": "orders" } });
 * const troupe = await createTroupe({ actors: [Counter], stores: { default: memory() }, tracing });
 * await troupe.ref(Counter, "visits").add({ by: 1 }); // spans: counter/add, COMMIT …
 * await tracing.close();
 * ```
 */
export function openOtel({
  processors,
  resource = {},
  sampling = samplingOf(process.env),
  callsBegin = true,
}: OtelOptions): Otel {
  const ids = new Ids();
  const provider = new TracerProvider({
    resource: resourceFromAttributes({ ...resource }),
    spanProcessors: [...processors],
    sampler: new AlwaysOnSampler(), // Otel.O1
    idGenerator: ids,
    spanLimits: { attributeValueLengthLimit: MAX_TEXT },
  });
  const own = new AsyncLocalStorageContextManager().enable();
  // One that is there already does as well. Ours is asked itself: the way through the API is dearer than its answer.
  const contexts: { active(): Context } = context.setGlobalContextManager(own) ? own : context;
  return new SdkTracing(provider, provider.getTracer("troupe"), { ids, contexts, sampling, callsBegin });
}

/** What the tracing of a process is made of. */
interface SdkParts {
  readonly ids: Ids;
  /** Where the context of the work under way is asked for. */
  readonly contexts: { active(): Context };
  readonly sampling: Sampling;
  readonly callsBegin: boolean;
}

class SdkTracing implements Otel {
  readonly #provider: TracerProvider;
  readonly #tracer: Tracer;
  readonly #ids: Ids;
  readonly #contexts: { active(): Context };
  readonly #sampling: Sampling;
  readonly #callsBegin: boolean;
  readonly #roots = new UnrecordedRoots();

  constructor(provider: TracerProvider, tracer: Tracer, { ids, contexts, sampling, callsBegin }: SdkParts) {
    this.#provider = provider;
    this.#tracer = tracer;
    this.#ids = ids;
    this.#contexts = contexts;
    this.#sampling = sampling;
    this.#callsBegin = callsBegin;
  }

  current(): string {
    return this.active() ?? (this.#callsBegin ? this.root() : this.#roots.next());
  }

  active(): string | undefined {
    const around = this.#contexts.active();
    if (around === ROOT_CONTEXT) return undefined;
    const active = trace.getSpanContext(around);
    if (active === undefined) return undefined;
    return traceparentOf(active.traceId, active.spanId, (active.traceFlags & 1) === 1);
  }

  root(): string {
    const roots = this.#roots;
    const at = roots.ahead();
    if (this.#sampling.never?.(roots.pool, at) === true) return roots.next();
    const root = roots.next();
    const traceId = root.slice(3, 35);
    return this.#sampling(traceId, undefined) ? traceparentOf(traceId, ZERO_SPAN, true) : root; // Otel.O2
  }

  join(traceparent: string): string {
    const { traceId, spanId } = spanContextOf(traceparent);
    return traceparentOf(traceId, spanId, this.#sampling(traceId, isRecorded(traceparent)));
  }

  begin(start: SpanStart): Span {
    const { traceId, spanId } = spanContextOf(start.parent);
    const isRoot = spanId === ZERO_SPAN; // Otel.O2
    if (isRoot) this.#ids.nextTrace = traceId;
    const parent = isRoot ? ROOT_CONTEXT : trace.setSpanContext(ROOT_CONTEXT, spanContextOf(start.parent));
    const links: Link[] | undefined = start.links?.map((link) => ({ context: spanContextOf(link) }));
    return new SdkSpan(
      this.#tracer.startSpan(
        start.name,
        {
          kind: KINDS[start.kind],
          attributes: start.attributes,
          ...(links && { links }),
          startTime: start.startedAt ?? nowMs(),
        },
        parent,
      ),
    );
  }

  within<T>(traceparent: string, work: () => T): T {
    return context.with(trace.setSpanContext(context.active(), spanContextOf(traceparent)), work);
  }

  record({ spanId, endedAt, failure, ...start }: PastSpan): void {
    this.#ids.nextSpan = spanId;
    const parent = trace.setSpanContext(ROOT_CONTEXT, spanContextOf(start.parent));
    const { name, kind, attributes, startedAt } = start;
    const span = this.#tracer.startSpan(name, { kind: KINDS[kind], attributes, startTime: startedAt }, parent);
    if (failure !== undefined) span.setStatus({ code: SpanStatusCode.ERROR, message: failure.slice(0, MAX_TEXT) });
    span.end(endedAt);
  }

  async flush(): Promise<void> {
    await this.#provider.forceFlush();
  }

  async close(): Promise<void> {
    await this.#provider.shutdown();
  }
}

class SdkSpan implements Span {
  readonly traceparent: string;
  readonly #span: ReturnType<Tracer["startSpan"]>;

  constructor(span: ReturnType<Tracer["startSpan"]>) {
    const { traceId, spanId } = span.spanContext();
    this.traceparent = traceparentOf(traceId, spanId, true);
    this.#span = span;
  }

  set(attributes: SpanStart["attributes"]): void {
    this.#span.setAttributes(attributes);
  }

  rename(name: string): void {
    this.#span.updateName(name);
  }

  end(failure?: unknown): void {
    if (!this.#span.isRecording()) return;
    if (failure !== undefined) {
      this.#span.setAttribute("error.type", typeOf(failure));
      const message = failure instanceof Error ? failure.message : String(failure);
      this.#span.setStatus({ code: SpanStatusCode.ERROR, message: message.slice(0, MAX_TEXT) });
    }
    this.#span.end(nowMs());
  }
}

/** How far the wall clock may be from ours before ours follows it. */
const MAX_DRIFT_MS = 20;
let offsetMs = 0;

/** Milliseconds since the epoch with their fractions: most spans are shorter than one. */
function nowMs(): number {
  const wall = Date.now();
  const fine = performance.now() + offsetMs;
  if (Math.abs(fine - wall) <= MAX_DRIFT_MS) return fine;
  offsetMs = wall - performance.now();
  return wall;
}

/** The code of an error that has one, else its name. */
function typeOf(failure: unknown): string {
  if (!(failure instanceof Error)) return "error";
  return "code" in failure && typeof failure.code === "string" ? failure.code : failure.name;
}

/** Random ids, but for what was asked for the next span. */
class Ids {
  nextTrace: string | undefined;
  nextSpan: string | undefined;

  generateTraceId(): string {
    const id = this.nextTrace ?? randomHex(32);
    this.nextTrace = undefined;
    return id;
  }

  generateSpanId(): string {
    const id = this.nextSpan ?? randomHex(16);
    this.nextSpan = undefined;
    return id;
  }
}
