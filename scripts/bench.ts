#!/usr/bin/env bun
/** `bun run bench [name…]`: what the parts reach, with a baseline beside each in the same run. See `--help`. */
import { type ServerName, UnavailableError } from "#infra/stack/types.ts";
import type { BenchOptions } from "./bench/options.ts";
import { type Bench, BENCHES } from "./bench/registry.ts";
import { TABLE_HEAD, toJsonLine, toRow } from "./bench/report.ts";
import { versionsLine } from "./bench/versions.ts";

const EXIT_USAGE = 2;
const FLAGS: ReadonlySet<string> = new Set(["--json", "--full", "--help", "-h"]);

function list(): string {
  return BENCHES.map(({ name, about }) => `  ${name.padEnd(12)} ${about}`).join("\n");
}

function usage(): string {
  return `Usage: bun run bench [name…] [--json] [--full]

Runs benchmarks, all of them without a name, each with its baseline. Servers that do not run are started, and stopped again.

${list()}

  --json       a line of JSON per case instead of a table
  --full       the large cases too, as ten thousand sockets, or a store of a million actors, and more rounds where a case is
               made of few, as in failover
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

const args = process.argv.slice(2);
const unknown = args.find((arg) => arg.startsWith("-") && !FLAGS.has(arg));
if (unknown !== undefined) {
  console.error(`There is no option "${unknown}".\n\n${usage()}`);
  process.exit(EXIT_USAGE);
}
if (args.includes("--help") || args.includes("-h")) {
  console.log(usage());
  process.exit(0);
}
const json = args.includes("--json");
const benches = chosen(args.filter((arg) => !arg.startsWith("-")));
if (!json) console.log(TABLE_HEAD);
let complete = true;
for (const bench of benches)
  complete = (await run(bench, { full: args.includes("--full") }, console.log, json)) && complete;
const used = new Set<ServerName>(benches.flatMap(({ servers }) => servers));
if (!json) console.log(`\n${await versionsLine(used)}`);
process.exit(complete ? 0 : 1);
