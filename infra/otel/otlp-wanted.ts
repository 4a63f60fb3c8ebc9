type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Whether `OTEL_EXPORTER_OTLP_ENDPOINT` or `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` says where spans go, and
 * `OTEL_TRACES_EXPORTER` is not `none`.
 */
export function isOtlpWanted(env: Environment): boolean {
  if (env["OTEL_TRACES_EXPORTER"] === "none") return false;
  return [env["OTEL_EXPORTER_OTLP_ENDPOINT"], env["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"]].some(
    (endpoint) => endpoint !== undefined && endpoint !== "",
  );
}
