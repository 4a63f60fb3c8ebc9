import { ROOT_CONTEXT } from "@opentelemetry/api";
import { SamplingDecision, TraceIdRatioBasedSampler } from "@opentelemetry/sdk-trace";

/**
 * Whether a trace is recorded. `parent` says what whoever began it decided; `undefined`: it begins here.
 */
export type Sampling = (traceId: string, parent: boolean | undefined) => boolean;

/** A setting of `OTEL_*` that says nothing we know. */
export class OtelSettingError extends Error {
  override readonly name = "OtelSettingError";
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Traces a second that are recorded where nothing else is set. */
const DEFAULT_PER_SECOND = 20;

/**
 * The sampling that `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG` ask for: `always_on`, `always_off`, `traceidratio`, and
 * each of these behind `parentbased_`. Without one, the first 20 traces of each second are recorded, those included whose
 * caller asked for it: nobody makes a node slow by asking.
 *
 * @throws {OtelSettingError} for another name, or a ratio that is none.
 *
 * @example
 * ```ts
 * const sampling = samplingOf({ OTEL_TRACES_SAMPLER: "parentbased_traceidratio", OTEL_TRACES_SAMPLER_ARG: "0.01" });
 * const tracing = openOtel({ processors: [otlpProcessor()], sampling });
 * ```
 */
export function samplingOf({ OTEL_TRACES_SAMPLER: name, OTEL_TRACES_SAMPLER_ARG: arg }: Environment): Sampling {
  if (name === undefined || name === "") return perSecond(DEFAULT_PER_SECOND, () => performance.now());
  const [, based, rest = ""] = /^(parentbased_)?(.*)$/.exec(name) ?? [];
  const root = rootSampling(rest, name, arg);
  return based === undefined ? (traceId) => root(traceId) : (traceId, parent) => parent ?? root(traceId);
}

function rootSampling(kind: string, name: string, arg: string | undefined): (traceId: string) => boolean {
  if (kind === "always_on") return () => true;
  if (kind === "always_off") return () => false;
  if (kind !== "traceidratio")
    throw new OtelSettingError(
      `Cannot sample traces by OTEL_TRACES_SAMPLER=${name}: expected always_on, always_off or traceidratio, or parentbased_ and one of them`,
    );
  const ratio = arg === undefined || arg === "" ? 1 : Number(arg);
  if (!(ratio >= 0 && ratio <= 1))
    throw new OtelSettingError(`Cannot sample traces by OTEL_TRACES_SAMPLER_ARG=${arg}: expected a number from 0 to 1`);
  const sampler = new TraceIdRatioBasedSampler(ratio);
  return (traceId) => sampler.shouldSample(ROOT_CONTEXT, traceId).decision === SamplingDecision.RECORD_AND_SAMPLED;
}

/** The first `count` traces of each second, and none whose caller did not want it. */
export function perSecond(count: number, nowMs: () => number): Sampling {
  let until = 0;
  let left = 0;
  return (_traceId, parent) => {
    if (parent === false) return false;
    const now = nowMs();
    if (now >= until) {
      until = now + 1_000;
      left = count;
    }
    return left-- > 0;
  };
}
