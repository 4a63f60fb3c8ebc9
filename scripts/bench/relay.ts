import type { BrokerName } from "./broker-sinks.ts";
import { isolatedWith } from "./isolated.ts";
import type { BenchOptions } from "./options.ts";
import { progress } from "./progress.ts";
import { BACKLOG, RATE, type RelayFigures, type Surroundings, type WayName } from "./relay-loads.ts";
import type { BenchCase } from "./report.ts";

const LOADS = "relay-loads.ts";
const MILLION = 1_000_000;

/** What stands beside the relay: a name for the report, and its figures. */
type Baseline = readonly [name: string, figures: RelayFigures];

/**
 * From the commit to the broker, one by one and with a backlog: against a poller over a table and a job queue; and in a
 * store that holds much, and beside a transaction that stays open, against the relay in an empty one.
 */
export async function* relay({ sinks, openTransactionMs }: BenchOptions): AsyncGenerator<BenchCase> {
  for (const broker of sinks) {
    const empty = await measure("relay", broker, "an empty store", {});
    yield* rows(broker, "", empty, [
      ["SKIP LOCKED poller", await measure("poller", broker, "an empty table", {})],
      ["graphile-worker, keys in no order", await measure("jobs", broker, "an empty table", {})],
    ]);
    const emptyStore: Baseline = ["relay, empty store", empty];

    const filled: Surroundings = { rows: MILLION };
    const million = await measure("relay", broker, "1M rows kept and 1M pruned", filled);
    const crowded = await measure("poller", broker, "1M rows waiting", filled);
    yield* rows(broker, ", 1M rows there", million, [emptyStore, ["SKIP LOCKED poller, 1M rows waiting", crowded]]);

    const seconds = Math.round(openTransactionMs / 1_000);
    const beside: Surroundings = { openMs: openTransactionMs };
    const besideOpen = await measure("relay", broker, `a transaction open for ${seconds} s`, beside);
    const poller = await measure("poller", broker, `a transaction open for ${seconds} s`, beside);
    const title = `, transaction open for ${seconds} s`;
    yield* rows(broker, title, besideOpen, [emptyStore, ["SKIP LOCKED poller beside it", poller]]);
  }
}

function measure(way: WayName, broker: BrokerName, surroundings: string, beside: Surroundings): Promise<RelayFigures> {
  progress(`relay: ${broker}, ${way}, ${surroundings}: 1,000 events/s and then a backlog (20 s and more)`);
  return isolatedWith<RelayFigures>([broker], LOADS, "relayFigures", way, broker, beside);
}

/** A line for each baseline, of the latency and of the drain. */
function* rows(
  broker: BrokerName,
  surroundings: string,
  { latency, drain }: RelayFigures,
  baselines: readonly Baseline[],
): Generator<BenchCase> {
  const count = (n: number): string => n.toLocaleString("en-US");
  for (const [name, figures] of baselines) {
    const title = `${broker}, ${count(RATE)} events/s${surroundings}`;
    yield { bench: "relay", case: title, measured: latency, baseline: { name, ...figures.latency } };
  }
  for (const [name, figures] of baselines) {
    const title = `${broker}, backlog of ${count(BACKLOG)}${surroundings}`;
    yield { bench: "relay", case: title, measured: drain, baseline: { name, ...figures.drain } };
  }
}
