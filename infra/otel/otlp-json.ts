import * as v from "valibot";
import type { AttributeValue, KeptSpan, TraceStore } from "./trace-store.ts";

/** 64-bit numbers are texts in OTLP's JSON; some senders write numbers all the same. */
const Long = v.union([v.pipe(v.string(), v.regex(/^[0-9]{1,20}$/)), v.pipe(v.number(), v.integer(), v.minValue(0))]);
const Hex = (digits: number) => v.pipe(v.string(), v.regex(new RegExp(`^[0-9a-fA-F]{${digits}}$`)), v.toLowerCase());

const Plain = v.union([
  v.object({ stringValue: v.string() }),
  v.object({ boolValue: v.boolean() }),
  v.object({ intValue: v.union([v.pipe(v.string(), v.regex(/^-?[0-9]{1,20}$/)), v.number()]) }),
  v.object({ doubleValue: v.number() }),
]);
const Value = v.union([
  Plain,
  v.object({ arrayValue: v.object({ values: v.optional(v.array(Plain), []) }) }),
  v.object({}),
]);
const Attributes = v.optional(v.array(v.object({ key: v.string(), value: v.optional(Value, {}) })), []);

const OtlpSpan = v.object({
  traceId: Hex(32),
  spanId: Hex(16),
  parentSpanId: v.optional(v.union([Hex(16), v.literal("")]), ""),
  name: v.optional(v.string(), ""),
  kind: v.optional(v.number(), 1),
  startTimeUnixNano: Long,
  endTimeUnixNano: Long,
  attributes: Attributes,
  links: v.optional(v.array(v.object({ traceId: Hex(32), spanId: Hex(16) })), []),
  status: v.optional(v.object({ code: v.optional(v.number(), 0), message: v.optional(v.string(), "") }), {}),
});

/** `ExportTraceServiceRequest` of OTLP 1.x as JSON; what is not kept is left out. */
export const OtlpTraces = v.object({
  resourceSpans: v.optional(
    v.array(
      v.object({
        resource: v.optional(v.object({ attributes: Attributes }), {}),
        scopeSpans: v.optional(v.array(v.object({ spans: v.optional(v.array(OtlpSpan), []) })), []),
      }),
    ),
    [],
  ),
});

export type OtlpTraces = v.InferOutput<typeof OtlpTraces>;

const KINDS = ["internal", "internal", "server", "client", "producer", "consumer"] as const;
const ERROR = 2;

/** Keeps the spans of a request to an OTLP receiver. */
export function keepOtlp(store: Pick<TraceStore, "add">, { resourceSpans }: OtlpTraces): void {
  for (const { resource, scopeSpans } of resourceSpans) {
    const { "service.name": service = "unknown" } = attributesOf(resource.attributes);
    for (const span of scopeSpans.flatMap(({ spans }) => spans)) store.add(span.traceId, keptOf(String(service), span));
  }
}

function keptOf(service: string, span: v.InferOutput<typeof OtlpSpan>): KeptSpan {
  const { spanId, parentSpanId, name, kind, startTimeUnixNano, endTimeUnixNano, attributes, links, status } = span;
  const startMs = Number(startTimeUnixNano) / 1e6;
  return {
    spanId,
    parentSpanId: parentSpanId === "" ? null : parentSpanId,
    name,
    kind: KINDS[kind] ?? "internal",
    service,
    startMs,
    // Whatever its clock did, nothing ends before it begins.
    endMs: Math.max(startMs, Number(endTimeUnixNano) / 1e6),
    failure: status.code === ERROR ? status.message : null,
    attributes: attributesOf(attributes),
    links,
  };
}

function attributesOf(all: v.InferOutput<typeof Attributes>): Record<string, AttributeValue> {
  return Object.fromEntries(
    all.flatMap(({ key, value }): [string, AttributeValue][] => {
      if ("arrayValue" in value) return [[key, value.arrayValue.values.map(plainOf)]];
      return Object.keys(value).length === 0 ? [] : [[key, plainOf(value as v.InferOutput<typeof Plain>)]];
    }),
  );
}

function plainOf(value: v.InferOutput<typeof Plain>): string | number | boolean {
  if ("stringValue" in value) return value.stringValue;
  if ("boolValue" in value) return value.boolValue;
  return "intValue" in value ? Number(value.intValue) : value.doubleValue;
}
