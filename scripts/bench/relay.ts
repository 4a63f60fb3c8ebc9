import type { BrokerName } from "./broker-sinks.ts";
import { isolatedWith } from "./isolated.ts";
import { type BenchOptions, wants } from "./options.ts";
import { progress } from "./progress.ts";
import { EMPTY_STORE, RATE, relayCase } from "./relay-cases.ts";
import type { RelayFigures, Surroundings, WayName } from "./relay-loads.ts";
import type { BenchCase } from "./report.ts";

const LOADS = "relay-loads.ts";
const MILLION = 1_000_000;

/** What stands beside the relay: a name for the report, and its figures. */
type Baseline = readonly [name: string, figures: RelayFigures];

/**
 * From the commit to the broker, one by one and with a backlog: against a poller over a table; and in a store that holds much, and beside
 * a transaction that stays open, against the relay in an empty one. In full the poller bears the same, and a job queue is
 * another baseline.
 */
export async function* relay(options: BenchOptions): AsyncGenerator<BenchCase> {
  const { sinks, openTransactionMs, full } = options;
  const seconds = Math.round(openTransactionMs / 1_000);
  for (const broker of sinks) {
    const groups = {
      empty: broker,
      filled: `${broker}, 1M rows`,
      open: `${broker}, transaction open for ${seconds} s`,
    };
    if (!Object.values(groups).some((group) => wants(options, group))) continue;
    const empty = await measure("relay", broker, "an empty store", {});
    if (wants(options, groups.empty)) {
      const poller = await measure("poller", broker, "an empty table", {});
      const beside: Baseline[] = [["SKIP LOCKED poller", poller]];
      if (full) beside.push(["graphile-worker, keys in no order", await measure("jobs", broker, "an empty table", {})]);
      yield* rows(broker, groups.empty, undefined, empty, beside);
    }

    const emptyStore: Baseline = [EMPTY_STORE, empty];
    if (wants(options, groups.filled)) {
      const filled: Surroundings = { rows: MILLION };
      const million = await measure("relay", broker, "1M rows kept and 1M pruned", filled);
      const beside = [emptyStore];
      if (full)
        beside.push([
          "SKIP LOCKED poller, 1M rows waiting",
          await measure("poller", broker, "1M rows waiting", filled),
        ]);
      yield* rows(broker, groups.filled, "1M rows there", million, beside);
    }

    if (wants(options, groups.open)) {
      const open: Surroundings = { openMs: openTransactionMs };
      const title = `transaction open for ${seconds} s`;
      const besideOpen = await measure("relay", broker, title, open);
      const beside = [emptyStore];
      if (full) beside.push(["SKIP LOCKED poller beside it", await measure("poller", broker, title, open)]);
      yield* rows(broker, groups.open, title, besideOpen, beside);
    }
  }
}

function measure(way: WayName, broker: BrokerName, surroundings: string, beside: Surroundings): Promise<RelayFigures> {
  progress(`relay: ${broker}, ${way}, ${surroundings}: 1,000 events/s and then a backlog (15 s and more)`);
  return isolatedWith<RelayFigures>([broker], LOADS, "relayFigures", way, broker, beside);
}

/** A line for each baseline, of the latency and of the drain. */
function* rows(
  broker: BrokerName,
  group: string,
  surroundings: string | undefined,
  { latency, drain }: RelayFigures,
  baselines: readonly Baseline[],
): Generator<BenchCase> {
  const even = `${broker}, ${RATE.toLocaleString("en-US")} events/s${surroundings === undefined ? "" : `, ${surroundings}`}`;
  const backlog = relayCase(broker, surroundings);
  for (const [name, figures] of baselines)
    yield { bench: "relay", group, case: even, measured: latency, baseline: { name, ...figures.latency } };
  for (const [name, figures] of baselines)
    yield { bench: "relay", group, case: backlog, measured: drain, baseline: { name, ...figures.drain } };
}
