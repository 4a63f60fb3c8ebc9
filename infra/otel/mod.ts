/** The door `troupe/otel`: spans of turns, commits, events and calls, by OpenTelemetry. */
export { openOtel } from "./otel.ts";
export type { Otel, OtelOptions, PastSpan } from "./otel.ts";
export { otlpProcessor } from "./otlp.ts";
export { OtelSettingError, samplingOf } from "./sampling.ts";
export type { Sampling } from "./sampling.ts";
export { TraceStore } from "./trace-store.ts";
export type { AttributeValue, KeptSpan, TraceFilter, TraceSummary } from "./trace-store.ts";
