import { type SpanContext, TraceFlags } from "@opentelemetry/api";
import { isRecorded } from "#runtime";

/** The parts of a `traceparent` that is well formed. */
export function spanContextOf(traceparent: string): SpanContext {
  return {
    traceId: traceparent.slice(3, 35),
    spanId: traceparent.slice(36, 52),
    traceFlags: isRecorded(traceparent) ? TraceFlags.SAMPLED : TraceFlags.NONE,
    isRemote: true,
  };
}

/** `00-<trace>-<span>-<flags>`, as W3C Trace Context has it. */
export function traceparentOf(traceId: string, spanId: string, recorded: boolean): string {
  return `00-${traceId}-${spanId}-${recorded ? "01" : "00"}`;
}
