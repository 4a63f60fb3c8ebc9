import { hostname } from "node:os";
import { type Otel, openOtel } from "#infra/otel/otel.ts";
import { isOtlpWanted } from "#infra/otel/otlp-wanted.ts";
import { otlpProcessor } from "#infra/otel/otlp.ts";
import { OtelSettingError, samplingOf } from "#infra/otel/sampling.ts";
import { TraceStore } from "#infra/otel/trace-store.ts";
import { type Settings, SettingsError } from "./settings.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** The traces of this process: what it does is told, and what was told last is kept for the pages. */
export interface AppTracing {
  /** `undefined` where `OTEL_SDK_DISABLED` is `true`. */
  readonly otel: Otel | undefined;
  readonly traces: TraceStore | undefined;
}

/**
 * Tracing as the standard's variables say: `OTEL_SDK_DISABLED`, `OTEL_TRACES_SAMPLER`, `OTEL_TRACES_SAMPLER_ARG`,
 * `OTEL_SERVICE_NAME`, `OTEL_EXPORTER_OTLP_*`, `OTEL_TRACES_EXPORTER`, `OTEL_BSP_*`.
 * @throws {SettingsError} one of them says what nobody understands.
 */
export function openTracing({ TROUPE_CLUSTER }: Pick<Settings, "TROUPE_CLUSTER">, env: Environment): AppTracing {
  if (env["OTEL_SDK_DISABLED"] === "true") return { otel: undefined, traces: undefined };
  const traces = new TraceStore();
  try {
    const otel = openOtel({
      processors: [traces, ...(isOtlpWanted(env) ? [otlpProcessor(env)] : [])],
      resource: {
        "service.name": env["OTEL_SERVICE_NAME"] ?? "troupe",
        "service.namespace": TROUPE_CLUSTER,
        "service.instance.id": `${hostname()}-${process.pid}`,
      },
      sampling: samplingOf(env),
      callsBegin: false,
    });
    return { otel, traces };
  } catch (error) {
    if (error instanceof OtelSettingError) throw new SettingsError(error.message);
    throw error;
  }
}
