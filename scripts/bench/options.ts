import { parseArgs } from "node:util";
import { durationMs } from "#runtime";
import { type BrokerName, BROKERS } from "./broker-sinks.ts";

/** What a run is asked for. */
export interface BenchOptions {
  /** The large cases too, that take minutes and gigabytes. */
  readonly full: boolean;
  /** Only what takes little, to try a benchmark. */
  readonly quick: boolean;
  /** Only those parts of a benchmark whose names hold this. */
  readonly only?: string;
  /** The brokers to measure with. */
  readonly sinks: readonly BrokerName[];
  /** How long a transaction is left open, in milliseconds, before it is measured what goes on beside it. */
  readonly openTransactionMs: number;
}

/** A command line. */
export interface BenchArguments {
  readonly help: boolean;
  readonly json: boolean;
  /** Whether the figures go into the page too. */
  readonly report: boolean;
  /** Whether to measure on a PostgreSQL with the defaults it is delivered with. */
  readonly delivered: boolean;
  readonly names: readonly string[];
  readonly options: BenchOptions;
}

/** @throws {TypeError} an option that there is not, or a value that it does not take. */
export function readArguments(args: readonly string[]): BenchArguments {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      json: { type: "boolean", default: false },
      report: { type: "boolean", default: false },
      delivered: { type: "boolean", default: false },
      full: { type: "boolean", default: false },
      quick: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
      only: { type: "string" },
      sink: { type: "string", default: BROKERS.join(",") },
      "open-transaction": { type: "string", default: "10s" },
    },
  });
  const { help, json, report, delivered, full, quick, only, sink } = values;
  if (full && quick) throw new TypeError("Cannot measure the large cases and only the small ones: --full or --quick");
  const options = {
    full,
    quick,
    ...(only !== undefined && { only }),
    sinks: sinksOf(sink),
    openTransactionMs: durationMs(values["open-transaction"]),
  };
  return { help, json, report, delivered, names: positionals, options };
}

function sinksOf(text: string): readonly BrokerName[] {
  return text.split(",").map((name) => {
    const known = BROKERS.find((broker) => broker === name);
    if (known === undefined)
      throw new TypeError(`Cannot measure with the sink "${name}": there are ${BROKERS.join(", ")}`);
    return known;
  });
}

/** Whether a part of a benchmark is asked for. */
export function wants({ only }: BenchOptions, group: string): boolean {
  return only === undefined || group.includes(only);
}
