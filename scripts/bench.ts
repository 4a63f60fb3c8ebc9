#!/usr/bin/env bun
/** `bun run bench [name…]`: what the parts reach, with a baseline beside each in the same run. See `--help`. */
import { type ServerName, UnavailableError } from "#infra/stack/types.ts";
import { type BenchOptions, readArguments } from "./bench/options.ts";
import { type Bench, BENCHES } from "./bench/registry.ts";
import { TABLE_HEAD, toJsonLine, toRow } from "./bench/report.ts";
import { versionsLine } from "./bench/versions.ts";

const EXIT_USAGE = 2;

function list(): string {
  return BENCHES.map(({ name, about }) => `  ${name.padEnd(12)} ${about}`).join("\n");
}

function usage(): string {
  return `Usage: bun run bench [name…] [--json] [--full] [--sink name,…] [--open-transaction duration]

Runs benchmarks, all of them without a name, each with its baseline. Servers that do not run are started, and stopped again.

${list()}

  --json       a line of JSON per case instead of a table
  --full       the large cases too, as ten thousand sockets, or a store of a million actors, and more rounds where a case is
               made of few, as in failover
  --sink       of relay: the brokers to measure with, of nats, kafka, rabbitmq and redis; all of them without it
  --open-transaction
               of relay: how long a transaction is left open before what goes on beside it is measured, as in 10m; 30s without it
  --help       this text`;
}

/** The benchmarks of these names, in their order. Ends the process for a name there is none of. */
function chosen(names: readonly string[]): readonly Bench[] {
  for (const name of names) {
    if (BENCHES.some((bench) => bench.name === name)) continue;
    console.error(`There is no benchmark "${name}". There are:\n${list()}`);
    process.exit(EXIT_USAGE);
  }
  return BENCHES.filter(({ name }) => names.length === 0 || names.includes(name));
}

/** Runs one and prints its lines. Returns whether it came to its end; a server that cannot be had is no failure. */
async function run(
  { name, run: cases }: Bench,
  options: BenchOptions,
  print: (line: string) => void,
  json: boolean,
): Promise<boolean> {
  try {
    for await (const line of cases(options)) print(json ? toJsonLine(line) : toRow(line));
    return true;
  } catch (error) {
    if (error instanceof UnavailableError) console.error(`${name}: left out, ${error.message}`);
    else console.error(`${name}: failed,`, error);
    return error instanceof UnavailableError;
  }
}

let args: ReturnType<typeof readArguments>;
try {
  args = readArguments(process.argv.slice(2));
} catch (error) {
  console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage()}`);
  process.exit(EXIT_USAGE);
}
const { help, json, names, options } = args;
if (help) {
  console.log(usage());
  process.exit(0);
}
const benches = chosen(names);
if (!json) console.log(TABLE_HEAD);
let complete = true;
for (const bench of benches) complete = (await run(bench, options, console.log, json)) && complete;
const used = new Set<ServerName>(benches.flatMap(({ servers }) => servers));
if (!json) console.log(`\n${await versionsLine(used)}`);
process.exit(complete ? 0 : 1);
