import { ROOT_CONTEXT } from "@opentelemetry/api";
import { SamplingDecision, TraceIdRatioBasedSampler } from "@opentelemetry/sdk-trace";

/**
 * Whether a trace is recorded. `parent` says what whoever began it decided; `undefined`: it begins here.
 */
export interface Sampling {
  (traceId: string, parent: boolean | undefined): boolean;
  /**
   * Whether a trace that begins here is certainly not recorded, by the first digits of its id, which stands in `text` at `at`: quicker
   * than to ask. Default: that cannot be told.
   */
  readonly never?: (text: string, at: number) => boolean;
}

/** A setting of `OTEL_*` that says nothing we know. */
export class OtelSettingError extends Error {
  override readonly name = "OtelSettingError";
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Traces a second that are recorded where nothing else is set: of those that begin here, and of those that callers want recorded. */
const BEGUN_PER_SECOND = 20;
const CALLERS_PER_SECOND = 200;

/**
 * The sampling that `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG` ask for: `always_on`, `always_off`, `traceidratio`, and
 * each of these behind `parentbased_`. Without one, the first 20 traces of each second are recorded, and the first 200 of those
 * whose callers want it: nobody makes a node slow by asking.
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
  if (name === undefined || name === "") return bounded(() => performance.now());
  const [, based, rest = ""] = /^(parentbased_)?(.*)$/.exec(name) ?? [];
  const root = rootSampling(rest, name, arg);
  const { never } = root;
  const sampling: Sampling = based === undefined ? (id) => root(id) : (id, parent) => parent ?? root(id);
  return never === undefined ? sampling : Object.assign(sampling, { never });
}

interface RootSampling {
  (traceId: string): boolean;
  readonly never?: NonNullable<Sampling["never"]>;
}

function rootSampling(kind: string, name: string, arg: string | undefined): RootSampling {
  if (kind === "always_on") return () => true;
  if (kind === "always_off") return Object.assign(() => false, { never: () => true });
  if (kind !== "traceidratio")
    throw new OtelSettingError(
      `Cannot sample traces by OTEL_TRACES_SAMPLER=${name}: expected always_on, always_off or traceidratio, or parentbased_ and one of them`,
    );
  const ratio = arg === undefined || arg === "" ? 1 : Number(arg);
  if (!(ratio >= 0 && ratio <= 1))
    throw new OtelSettingError(`Cannot sample traces by OTEL_TRACES_SAMPLER_ARG=${arg}: expected a number from 0 to 1`);
  const sampler = new TraceIdRatioBasedSampler(ratio);
  const highest = Math.floor(ratio * 256);
  const sampled = (traceId: string): boolean =>
    sampler.shouldSample(ROOT_CONTEXT, traceId).decision === SamplingDecision.RECORD_AND_SAMPLED;
  return Object.assign(sampled, { never: (text: string, at: number) => highestByte(text, at) > highest });
}

/**
 * The first byte of what the SDK's sampler holds against its ratio: its four words combined by exclusive or. Most ids are turned
 * down by it alone, without reading all of their digits.
 */
function highestByte(text: string, at: number): number {
  let byte = 0;
  for (let word = at; word < at + 32; word += 8) byte ^= (digitAt(text, word) << 4) | digitAt(text, word + 1);
  return byte;
}

function digitAt(hex: string, at: number): number {
  const code = hex.charCodeAt(at);
  return code <= NINE ? code - ZERO : code - LETTERS;
}

const ZERO = 48;
const NINE = 57;
/** `a` stands for ten. */
const LETTERS = 87;

/** The first traces of each second, those that begin here and those that callers want recorded apart. */
export function bounded(nowMs: () => number): Sampling {
  const begun = perSecond(BEGUN_PER_SECOND, nowMs);
  const callers = perSecond(CALLERS_PER_SECOND, nowMs);
  return (_traceId, parent) => (parent === undefined ? begun() : parent && callers());
}

function perSecond(count: number, nowMs: () => number): () => boolean {
  let until = 0;
  let left = 0;
  return () => {
    const now = nowMs();
    if (now >= until) {
      until = now + 1_000;
      left = count;
    }
    return left-- > 0;
  };
}
