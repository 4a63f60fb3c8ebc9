import * as v from "valibot";
import { endpoint, endpoints, notFound } from "#infra/http/endpoint.ts";
import { PageQuery, pageOf } from "#infra/http/listing.ts";
import { answerTraces, type AskNodes, type ClusterTraces } from "#infra/otel/cluster-traces.ts";
import { keepOtlp, OtlpTraces } from "#infra/otel/otlp-json.ts";
import type { KeptSpan, TracePlace, TraceStore, TraceSummary } from "#infra/otel/trace-store.ts";
import type { Troupe } from "#runtime";

const Time = v.pipe(v.string(), v.isoTimestamp());
const TraceId = v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/));
const Ms = v.pipe(v.number(), v.minValue(0));
const Count = v.pipe(v.number(), v.integer(), v.minValue(0));
const Scalar = v.union([v.string(), v.number(), v.boolean()]);

const Summary = v.object({
  traceId: TraceId,
  name: v.pipe(v.string(), v.description("Of its first span")),
  startedAt: Time,
  durationMs: v.pipe(Ms, v.description("From its first span's begin to its last one's end")),
  spans: Count,
  failures: v.pipe(Count, v.description("Spans that failed")),
});

const Span = v.object({
  spanId: v.string(),
  parentSpanId: v.nullable(v.string()),
  name: v.string(),
  kind: v.picklist(["internal", "server", "client", "producer", "consumer"]),
  service: v.pipe(v.string(), v.description("`service.name` of the process that told of it")),
  offsetMs: v.pipe(Ms, v.description("From the begin of the trace to its own")),
  durationMs: Ms,
  failure: v.pipe(v.nullable(v.string()), v.description("Why it failed")),
  attributes: v.record(v.string(), v.union([Scalar, v.array(Scalar)])),
  links: v.array(v.object({ traceId: v.string(), spanId: v.string() })),
});

const Trace = v.object({
  traceId: TraceId,
  startedAt: Time,
  durationMs: Ms,
  dropped: v.pipe(Count, v.description("Spans that there was no room for")),
  spans: v.pipe(v.array(Span), v.description("By the time they began")),
});

const Query = v.strictObject({
  ...PageQuery,
  q: v.optional(
    v.pipe(v.string(), v.minLength(1), v.maxLength(200), v.description("In the name or a value of any span: an id")),
  ),
  failed: v.optional(v.pipe(v.picklist(["true", "false"]), v.description("Whether a span of it failed"))),
  minDurationMs: v.optional(v.pipe(v.string(), v.regex(/^[0-9]{1,9}$/, "must be a whole number"))),
});

const about = { tag: "Traces", noun: "trace", scope: "admin" } as const;

/** What nodes ask each other of their traces: among the `answers` of each. */
export const TRACES = "traces";

/** Asks every node for its traces; this process for its own, whether its node is there yet or not. */
export function askForTraces(troupe: () => Pick<Troupe, "nodeId" | "askNodes">, own: TraceStore): AskNodes {
  return async (question) => {
    const mine = answerTraces(own, question);
    let node: ReturnType<typeof troupe>;
    try {
      node = troupe();
    } catch {
      return [mine];
    }
    const answers = await node.askNodes(TRACES, question);
    return [mine, ...answers.flatMap((other) => (other.node === node.nodeId ? [] : [other.answer]))];
  };
}

/**
 * The last traces that were recorded, and the door for those of others.
 * @param traces those of every node. @param own where this process keeps what it is told.
 */
export function tracesRoutes(traces: ClusterTraces, own: TraceStore) {
  return endpoints("traces", [
    endpoint(
      {
        ...about,
        method: "GET",
        path: "/traces",
        summary: "List the last traces",
        description:
          "What the nodes have recorded or were told, the newest first, while there is room in their memory: each is asked, and one that does not answer is left out. `OTEL_TRACES_SAMPLER` says what is recorded.",
        query: Query,
        answer: { status: 200, description: "A page", schema: pageOf(Summary) },
      },
      async ({ query: { q: text, failed, minDurationMs, limit, cursor } }) => {
        const filter = {
          text,
          failed: failed === undefined ? undefined : failed === "true",
          minDurationMs: Number(minDurationMs ?? 0),
        };
        const found = await traces.list(filter, limit + 1, placeOf(cursor));
        const page = found.slice(0, limit);
        const last = found.length > limit ? page.at(-1) : undefined;
        return { items: page.map(summaryOf), next: last === undefined ? null : `${last.startMs}-${last.traceId}` };
      },
    ),
    endpoint(
      {
        ...about,
        method: "GET",
        path: "/traces/:id",
        summary: "A trace with all its spans",
        description: "`:id` is the `x-trace-id` of an answer.",
        params: v.object({ id: TraceId }),
        answer: { status: 200, description: "The trace", schema: Trace },
      },
      async ({ params: { id } }) => {
        const found = await traces.get(id);
        if (found === undefined) throw notFound("trace");
        const startMs = Math.min(...found.spans.map((span) => span.startMs));
        const endMs = Math.max(...found.spans.map((span) => span.endMs));
        return {
          traceId: id,
          startedAt: new Date(startMs).toISOString(),
          durationMs: rounded(endMs - startMs),
          dropped: found.dropped,
          spans: found.spans.map((span) => spanOf(span, startMs)),
        };
      },
    ),
    endpoint(
      {
        ...about,
        method: "POST",
        path: "/v1/traces",
        summary: "Take spans of other processes",
        description: "OTLP over HTTP, as JSON (`OTEL_EXPORTER_OTLP_PROTOCOL=http/json`). They are kept in memory.",
        body: OtlpTraces,
        answer: { status: 200, description: "Kept", schema: v.object({ partialSuccess: v.object({}) }) },
      },
      ({ body }) => {
        keepOtlp(own, body);
        return { partialSuccess: {} };
      },
    ),
  ]);
}

const CURSOR = /^(\d+(?:\.\d+)?)-([0-9a-f]{32})$/;

/** Where a page begins; `undefined`, also for what is no cursor: at the newest. */
function placeOf(cursor: string | undefined): TracePlace | undefined {
  const [, startMs, traceId] = CURSOR.exec(cursor ?? "") ?? [];
  return startMs === undefined || traceId === undefined ? undefined : { startMs: Number(startMs), traceId };
}

function summaryOf({ traceId, name, startMs, endMs, spans, failures }: TraceSummary): v.InferInput<typeof Summary> {
  const startedAt = new Date(startMs).toISOString();
  return { traceId, name, startedAt, durationMs: rounded(endMs - startMs), spans, failures };
}

function spanOf({ startMs, endMs, ...span }: KeptSpan, since: number): v.InferInput<typeof Span> {
  return {
    ...span,
    attributes: Object.fromEntries(
      Object.entries(span.attributes).map(([key, value]) => [key, Array.isArray(value) ? [...value] : value]),
    ) as v.InferInput<typeof Span>["attributes"],
    links: span.links.map((link) => ({ ...link })),
    offsetMs: rounded(startMs - since),
    durationMs: rounded(Math.max(0, endMs - startMs)),
  };
}

/** To the microsecond. */
function rounded(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}
