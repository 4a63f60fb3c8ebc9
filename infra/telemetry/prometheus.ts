import {
  collectDefaultMetrics,
  Counter,
  Gauge,
  type Metric,
  type MetricObjectWithValues,
  type OpenMetricsContentType,
  type PrometheusContentType,
  Registry,
} from "prom-client";
import type { Distribution, Exemplar, Metrics, NamedValue, NodeCounts } from "#runtime";

/** One value of a metric, with its labels. */
export interface Sample {
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A distribution with its labels. */
export interface LabelledDistribution {
  readonly labels?: Readonly<Record<string, string>>;
  readonly of: Distribution;
}

/** The metrics of this process, as Prometheus reads them. Everything is read when a scrape asks, and only then. */
export interface Prometheus {
  /** For `createTroupe`. Several nodes of one process are summed up. */
  readonly metrics: Metrics;
  /** A count that only grows, since the start. */
  counter(name: string, help: string, labels: readonly string[], read: () => Iterable<Sample>): void;
  /** How something stands now. A `read` that fails leaves the metric out of this scrape. */
  gauge(
    name: string,
    help: string,
    labels: readonly string[],
    read: () => Iterable<Sample> | Promise<Iterable<Sample>>,
  ): void;
  histogram(name: string, help: string, read: () => Iterable<LabelledDistribution>): void;
  /**
   * The answer of a scrape.
   * @param accept the scraper's `Accept`: to one that reads OpenMetrics, exemplars with trace ids are shown.
   */
  scrape(accept?: string | null): Promise<Scrape>;
}

/** The answer of a scrape, and how it is to be read. */
export interface Scrape {
  readonly contentType: string;
  readonly text: string;
}

/** Of the host process, what says something under Bun. The others are zero there, or named against the conventions. */
const OF_THE_PROCESS = /^(?:process_|nodejs_eventloop_lag_(?:p\d+_)?seconds$)/;

/**
 * A registry with the metrics of the host process (`process_…`, `nodejs_…`), those of the nodes attached to it
 * (`troupe_…`), and whatever is added.
 */
export function prometheus(): Prometheus {
  const nodes = new Set<NodeCounts>();
  const plain = new Registry();
  // A registry of its own, as prom-client renames a counter for good when it writes this format.
  const open = new Registry<OpenMetricsContentType>();
  open.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  const registries = [plain, open] as Registry<PrometheusContentType | OpenMetricsContentType>[];
  for (const registry of registries) {
    collectDefaultMetrics({ register: registry });
    for (const { name } of registry.getMetricsAsArray())
      if (!OF_THE_PROCESS.test(name)) registry.removeSingleMetric(name);
  }

  const made: Prometheus = {
    metrics: {
      attach(counts) {
        nodes.add(counts);
        return () => void nodes.delete(counts);
      },
    },
    counter(name, help, labels, read) {
      for (const registry of registries) {
        new Counter({
          name,
          help,
          labelNames: labels,
          registers: [registry],
          collect() {
            this.reset();
            for (const { labels: values = {}, value } of read()) this.inc(values, value);
          },
        });
      }
    },
    gauge(name, help, labels, read) {
      new Gauge({
        name,
        help,
        labelNames: labels,
        registers: registries,
        async collect() {
          this.reset();
          // A gauge without labels says 0 unless told otherwise: what is not known is not said.
          if (labels.length === 0) this.remove();
          const samples = await (async () => read())().catch(() => []);
          for (const { labels: values = {}, value } of samples) this.inc(values, value);
        },
      });
    },
    histogram(name, help, read) {
      const metric = new ReadHistogram(name, help, read) as object as Metric;
      for (const registry of registries) registry.registerMetric(metric);
    },
    async scrape(accept) {
      const registry = accept?.includes("application/openmetrics-text") ? open : plain;
      return { contentType: registry.contentType, text: await registry.metrics() };
    },
  };
  describeNodes(made, nodes);
  return made;
}

/** A histogram that keeps nothing itself: prom-client's own would have to be told of each value as it comes. */
class ReadHistogram {
  readonly name: string;
  readonly help: string;
  readonly #read: () => Iterable<LabelledDistribution>;

  constructor(name: string, help: string, read: () => Iterable<LabelledDistribution>) {
    this.name = name;
    this.help = help;
    this.#read = read;
  }

  reset(): void {}

  async get(): Promise<MetricObjectWithValues<ShownValue>> {
    const { name, help } = this;
    const values = [...merged(this.#read())].flatMap(({ labels = {}, of }) => {
      let count = 0;
      const buckets = of.counts.map((inBucket, i) => ({
        metricName: `${name}_bucket`,
        labels: { le: String(of.bounds[i] ?? "+Inf"), ...labels },
        value: (count += inBucket),
        ...exemplarOf(of.exemplars?.[i]),
      }));
      return [
        ...buckets,
        { metricName: `${name}_sum`, labels, value: of.sum },
        { metricName: `${name}_count`, labels, value: count },
      ];
    });
    return { name, help, type: "histogram" as never, aggregator: "sum", collect: () => undefined, values };
  }
}

interface ShownValue {
  labels: Record<string, string | number>;
  value: number;
}

/** An exemplar as prom-client writes it: seconds, and labels. */
function exemplarOf(exemplar: Exemplar | undefined): object | undefined {
  if (exemplar === undefined) return undefined;
  const { traceparent, value, atMs } = exemplar;
  return { exemplar: { labelSet: { trace_id: traceparent.slice(3, 35) }, value, timestamp: atMs / 1_000 } };
}

/** Distributions with the same labels as one. */
function merged(list: Iterable<LabelledDistribution>): Iterable<LabelledDistribution> {
  const sums = new Map<string, LabelledDistribution>();
  for (const { labels = {}, of } of list) {
    const id = JSON.stringify(labels);
    const before = sums.get(id)?.of;
    const sum =
      before === undefined
        ? of
        : {
            bounds: of.bounds,
            counts: of.counts.map((count, i) => count + (before.counts[i] ?? 0)),
            sum: of.sum + before.sum,
            exemplars: of.counts.map((_, i) => of.exemplars?.[i] ?? before.exemplars?.[i]),
          };
    sums.set(id, { labels, of: sum });
  }
  return sums.values();
}

function describeNodes({ counter, gauge, histogram }: Prometheus, nodes: ReadonlySet<NodeCounts>): void {
  const all = <T>(read: (counts: NodeCounts) => Iterable<T>): T[] => [...nodes].flatMap((counts) => [...read(counts)]);
  const byName = (label: string, read: (counts: NodeCounts) => Iterable<NamedValue>) => (): Sample[] =>
    all(read).map(({ name, value }) => ({ labels: { [label]: name }, value }));
  const one = (read: (counts: NodeCounts) => number) => (): Sample[] =>
    [...nodes].map((counts) => ({ value: read(counts) }));
  const each = (read: (counts: NodeCounts) => Distribution) => (): LabelledDistribution[] =>
    [...nodes].map((counts) => ({ of: read(counts) }));

  counter("troupe_turns_total", "Messages that had their turn", ["actor", "message", "outcome"], () =>
    all((counts) => counts.turns()).flatMap(({ actor, message, tally }) =>
      Object.entries(tally).map(([outcome, value]) => ({ labels: { actor, message, outcome }, value })),
    ),
  );
  histogram("troupe_turn_seconds", "From the start of a turn to its commit", () =>
    all((counts) => counts.turns()).map(({ actor, message, seconds }) => ({ labels: { actor, message }, of: seconds })),
  );
  histogram(
    "troupe_commit_seconds",
    "One write to a store",
    each((c) => c.commitSeconds),
  );
  histogram(
    "troupe_commit_batch_turns",
    "Turns that one write held",
    each((c) => c.commitBatchTurns),
  );
  histogram("troupe_outbox_publish_seconds", "One hand-over of records to a sink", () =>
    all((counts) => [...counts.publishSeconds].map(([sink, of]) => ({ labels: { sink }, of }))),
  );
  counter("troupe_dead_letters_total", "Dead letters that were kept since the start", ["reason"], () =>
    byName("reason", (c) => c.deadLetters())(),
  );
  gauge(
    "troupe_subscription_lag",
    "Events at the broker that the subscribed actor type has not taken yet",
    ["source", "actor"],
    () => all((c) => c.subscriptionLags()).map(({ lag, ...labels }) => ({ labels, value: lag })),
  );
  counter(
    "troupe_subscription_skipped_total",
    "Messages at the broker that carried no event, and were passed over",
    ["source", "actor"],
    () => all((c) => c.subscriptionSkips()).map(({ skipped, ...labels }) => ({ labels, value: skipped })),
  );
  gauge(
    "troupe_mailbox_depth",
    "Messages that wait for their turn",
    ["actor"],
    byName("actor", (c) => c.mailboxDepths()),
  );
  gauge(
    "troupe_actors_active",
    "Actors in memory",
    ["actor"],
    byName("actor", (c) => c.activeActors()),
  );
  gauge(
    "troupe_outbox_pending",
    "Committed records that a sink has not acknowledged",
    ["sink"],
    byName("sink", (c) => c.outboxPending()),
  );
  counter(
    "troupe_messages_turned_away_total",
    "Calls that found no room, in the mailbox of their actor or in its commit lane",
    ["actor"],
    byName("actor", (c) => c.turnedAway()),
  );
  gauge(
    "troupe_lane_turns_waiting",
    "Turns that ended and wait for their commit",
    [],
    one((c) => c.lanes().turns),
  );
  gauge(
    "troupe_lane_turns_limit",
    "Turns that may wait for their commit before no further one begins",
    [],
    one((c) => c.lanes().limit),
  );
  gauge(
    "troupe_lanes_full",
    "Commit lanes that let no turn begin now",
    [],
    one((c) => c.lanes().full),
  );
  gauge(
    "troupe_lanes",
    "Commit lanes",
    [],
    one((c) => c.lanes().lanes),
  );
  gauge(
    "troupe_lease_age_seconds",
    "Since the lease of this node was last renewed",
    ["store"],
    byName("store", (c) => c.leaseAges()),
  );
  counter("troupe_lease_renewal_failures_total", "Renewals of a lease that failed", [], () =>
    one((c) => c.leaseFailures)(),
  );
  counter("troupe_partitions_lost_total", "Partitions that another node took while they were in use here", [], () =>
    one((c) => c.partitionsLost)(),
  );
  gauge(
    "troupe_partitions_owned",
    "Partitions this process holds",
    [],
    one((c) => c.partitionsOwned()),
  );
  gauge(
    "troupe_timers_due",
    "Timers whose time has come, and whose turn has not ended yet",
    [],
    one((c) => c.timersDue()),
  );
}
