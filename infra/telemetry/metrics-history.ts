/**
 * The metrics of the past hours, of this process alone: what is left to look at where there is no Prometheus.
 *
 * Owns: a bounded ring of samples in memory, gone with the process. Does not own: what is measured (`scrape`).
 *
 * H1 At most `kept` samples; the oldest goes first.
 * H2 A counter is shown as its rate between two samples, a gauge as it stood. What was not measured is `null`, never 0.
 */
import { periodically } from "#infra/base/periodically.ts";

/** What is kept: the sum of a metric's samples over all its labels. */
export interface WatchedMetric {
  /** As in `troupe_turns_total`. */
  readonly name: string;
  readonly kind: "counter" | "gauge";
  /** For people, as in `turns a second`. */
  readonly label: string;
}

/** The past, the oldest first. */
export interface PastMetrics {
  readonly everyMs: number;
  /** Milliseconds since 1970. */
  readonly times: readonly number[];
  readonly series: readonly (WatchedMetric & { readonly values: readonly (number | null)[] })[];
}

/** What {@link MetricsHistory} is made of. */
export interface MetricsHistoryOptions {
  readonly watched: readonly WatchedMetric[];
  /** What Prometheus would be answered. */
  readonly scrape: () => Promise<{ readonly text: string }>;
  /** @default 30_000 */
  readonly everyMs?: number;
  /** Samples. @default 720: six hours of one each 30 s */
  readonly kept?: number;
  readonly now?: () => number;
}

interface Sampled {
  readonly at: number;
  /** One for each watched. */
  readonly totals: readonly (number | null)[];
}

export class MetricsHistory {
  readonly #watched: readonly WatchedMetric[];
  readonly #scrape: MetricsHistoryOptions["scrape"];
  readonly #everyMs: number;
  readonly #kept: number;
  readonly #now: () => number;
  #samples: Sampled[] = [];

  constructor({ watched, scrape, everyMs = 30_000, kept = 720, now = Date.now }: MetricsHistoryOptions) {
    this.#watched = watched;
    this.#scrape = scrape;
    this.#everyMs = everyMs;
    this.#kept = kept;
    this.#now = now;
  }

  /** Samples at once and from then on, until it is stopped. A sample that fails is left out. */
  start(): { stop(): Promise<void> } {
    const first = this.sample().catch(() => undefined);
    const others = periodically(
      this.#everyMs,
      () => this.sample(),
      () => undefined,
    );
    return {
      async stop() {
        await Promise.all([first, others.stop()]);
      },
    };
  }

  async sample(): Promise<void> {
    const totals = totalsOf((await this.#scrape()).text);
    const sampled = { at: this.#now(), totals: this.#watched.map(({ name }) => totals.get(name) ?? null) };
    this.#samples = [...this.#samples, sampled].slice(-this.#kept - 1); // History.H1, and one to take a rate from
  }

  past(): PastMetrics {
    const shown = this.#samples.slice(1);
    return {
      everyMs: this.#everyMs,
      times: shown.map(({ at }) => at),
      series: this.#watched.map((metric, i) => ({
        ...metric,
        values: shown.map((sample, n) => valueOf(metric.kind, i, sample, this.#samples[n])),
      })),
    };
  }
}

// History.H2
function valueOf(kind: WatchedMetric["kind"], i: number, sample: Sampled, before: Sampled | undefined): number | null {
  const now = sample.totals[i] ?? null;
  if (kind === "gauge" || now === null) return now;
  const then = before?.totals[i] ?? null;
  if (before === undefined || then === null || sample.at <= before.at) return null;
  return (Math.max(0, now - then) / (sample.at - before.at)) * 1_000;
}

const LINE = /^([a-z_]+)(?:\{.*\})? ([0-9.e+-]+)$/i;

/** The sums of the samples of each name, from Prometheus' text format. */
function totalsOf(text: string): ReadonlyMap<string, number> {
  const totals = new Map<string, number>();
  for (const line of text.split("\n")) {
    const [, name, value] = LINE.exec(line) ?? [];
    if (name !== undefined) totals.set(name, (totals.get(name) ?? 0) + Number(value));
  }
  return totals;
}
