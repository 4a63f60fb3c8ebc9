import { OTLPTraceExporter as JsonExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { OTLPTraceExporter as ProtobufExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { BatchSpanProcessor, type SpanExporter, type SpanProcessor } from "@opentelemetry/sdk-trace";
import { OtelSettingError } from "./sampling.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Hands spans to a collector over HTTP, in batches, as `OTEL_EXPORTER_OTLP_*` and `OTEL_BSP_*` say. What it cannot keep while
 * the collector is away is dropped: spans never hold up work.
 *
 * @throws {OtelSettingError} for a protocol other than `http/protobuf` (the default) and `http/json`.
 *
 * @example
 * ```ts
 * const tracing = openOtel({ processors: [otlpProcessor()], resource: { "service.name": "orders" } });
 * ```
 */
export function otlpProcessor(env: Environment = process.env): SpanProcessor {
  return new BatchSpanProcessor({ exporter: exporterOf(env) });
}

function exporterOf(env: Environment): SpanExporter {
  const protocol = env["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"] ?? env["OTEL_EXPORTER_OTLP_PROTOCOL"] ?? "http/protobuf";
  if (protocol === "http/protobuf") return new ProtobufExporter();
  if (protocol === "http/json") return new JsonExporter();
  throw new OtelSettingError(
    `Cannot export traces by OTEL_EXPORTER_OTLP_PROTOCOL=${protocol}: expected http/protobuf or http/json`,
  );
}
