/** One fault of a scrape's text. */
export type ExpositionFault = string;

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const LINE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/y;
const VALUE = /^(?:[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|[+-]?Inf|NaN)$/;
const TYPES: ReadonlySet<string> = new Set(["counter", "gauge", "histogram", "summary", "untyped"]);

interface Family {
  readonly name: string;
  readonly type: string;
}

interface Sample {
  readonly name: string;
  readonly labels: ReadonlyMap<string, string>;
  readonly value: number;
}

/**
 * What is wrong with a scrape in Prometheus' text format (0.0.4); nothing where it is well formed and follows the
 * conventions that `promtool check metrics` asks for: a help and a type before the samples, one block for each name,
 * counters that end with `_total` and nothing else that does, no series twice, histograms whose buckets only grow and end
 * with `+Inf` at the count.
 */
export function faultsOf(text: string): readonly ExpositionFault[] {
  const faults: string[] = [];
  const helped = new Set<string>();
  const families = new Map<string, Family>();
  const samples = new Map<string, Sample[]>();
  const seen = new Set<string>();
  let current: Family | undefined;
  if (!text.endsWith("\n")) faults.push("the last line has no end");
  for (const line of text.split("\n")) {
    if (line === "") continue;
    const [, help, helpText] = /^# HELP (\S+)(?: (.*))?$/.exec(line) ?? [];
    if (help !== undefined) {
      if (helped.has(help)) faults.push(`${help} has a second help`);
      if (helpText === undefined || helpText.trim() === "") faults.push(`${help} has no help text`);
      helped.add(help);
      continue;
    }
    const [, named, type = ""] = /^# TYPE (\S+) (\S+)$/.exec(line) ?? [];
    if (named !== undefined) {
      if (families.has(named)) faults.push(`${named} has a second type`);
      if (!TYPES.has(type)) faults.push(`${named} has the unknown type ${type}`);
      if (!helped.has(named)) faults.push(`${named} has no help before its type`);
      if ((type === "counter") !== named.endsWith("_total"))
        faults.push(`${named} is a ${type}: counters alone end with _total`);
      if (!NAME.test(named) || /[A-Z]/.test(named)) faults.push(`${named} is no name in snake case`);
      current = { name: named, type };
      families.set(named, current);
      continue;
    }
    if (line.startsWith("#")) continue;
    const sample = readSample(line);
    if (sample === undefined) faults.push(`not readable: ${line}`);
    else if (current === undefined || !belongs(sample.name, current))
      faults.push(`${sample.name} stands outside its block`);
    else {
      const series = `${sample.name}{${[...sample.labels]
        .map((pair) => pair.join("="))
        .toSorted()
        .join()}}`;
      if (seen.has(series)) faults.push(`${series} is there twice`);
      seen.add(series);
      if (current.type === "counter" && !(sample.value >= 0)) faults.push(`${series} is a counter of ${sample.value}`);
      samples.set(current.name, [...(samples.get(current.name) ?? []), sample]);
    }
  }
  for (const { name, type } of families.values())
    if (type === "histogram") faults.push(...histogramFaults(name, samples.get(name) ?? []));
  return faults;
}

/** The names of all metrics that a scrape describes, with those of a histogram's series. */
export function metricNames(text: string): ReadonlySet<string> {
  const names = [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].flatMap(([, name = "", type]) =>
    type === "histogram" ? [name, `${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
  );
  return new Set(names);
}

function readSample(line: string): Sample | undefined {
  const [, name, inside = "", value] = LINE.exec(line) ?? [];
  if (name === undefined || value === undefined || !VALUE.test(value)) return undefined;
  const labels = new Map<string, string>();
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < inside.length) {
    const [, label, text] = LABEL.exec(inside) ?? [];
    if (label === undefined || text === undefined || labels.has(label)) return undefined;
    labels.set(label, text);
  }
  return { name, labels, value: Number(value.replace("Inf", "Infinity")) };
}

function belongs(sample: string, { name, type }: Family): boolean {
  if (type !== "histogram") return sample === name;
  return ["_bucket", "_sum", "_count"].some((end) => sample === name + end);
}

function* histogramFaults(name: string, samples: readonly Sample[]): Generator<string> {
  const byLabels = new Map<string, Sample[]>();
  for (const sample of samples) {
    const rest = [...sample.labels].filter(([label]) => label !== "le").map((pair) => pair.join("="));
    const key = rest.toSorted().join();
    byLabels.set(key, [...(byLabels.get(key) ?? []), sample]);
  }
  for (const [labels, group] of byLabels) {
    const count = group.find((sample) => sample.name === `${name}_count`)?.value;
    const buckets = group.filter((sample) => sample.name === `${name}_bucket`);
    const bounds = buckets.map(({ labels: all }) => Number((all.get("le") ?? "").replace("Inf", "Infinity")));
    if (count === undefined || !group.some((sample) => sample.name === `${name}_sum`))
      yield `${name}{${labels}} has no sum or no count`;
    if (bounds.some((bound, i) => !(bound > (bounds[i - 1] ?? Number.NEGATIVE_INFINITY))))
      yield `${name}{${labels}} has buckets out of order`;
    if (buckets.some(({ value }, i) => value < (buckets[i - 1]?.value ?? 0)))
      yield `${name}{${labels}} has buckets that shrink`;
    if (bounds.at(-1) !== Number.POSITIVE_INFINITY || buckets.at(-1)?.value !== count)
      yield `${name}{${labels}} does not end with +Inf at its count`;
  }
}
