#!/usr/bin/env bun
/** `bun run bench [name…]`: what the parts reach, with a baseline beside each in the same run. See `--help`. */
import { loadavg } from "node:os";
import { join } from "node:path";
import { type ServerName, UnavailableError } from "#infra/stack/types.ts";
import { useDeliveredPostgres } from "./bench/delivered.ts";
import { type BenchOptions, readArguments } from "./bench/options.ts";
import { machine, PAGE, withSection } from "./bench/page.ts";
import { type Bench, BENCHES } from "./bench/registry.ts";
import { type BenchCase, TABLE_HEAD, toJsonLine, toRow } from "./bench/report.ts";
import { versionsLine } from "./bench/versions.ts";

const EXIT_USAGE = 2;

function list(): string {
  return BENCHES.map(({ name, about }) => `  ${name.padEnd(12)} ${about}`).join("\n");
}

function usage(): string {
  return `Usage: bun run bench [name…] [--json] [--report] [--delivered] [--full | --quick] [--sink name,…] [--open-transaction duration]

Runs benchmarks, all of them without a name, each with its baseline. Servers that do not run are started, and stopped again.

${list()}

  --json       a line of JSON per case instead of a table
  --report     writes the figures into ${PAGE} too, each benchmark in the place of its last ones
  --delivered  on a PostgreSQL of this run's own, with the defaults it is delivered with
  --full       the large cases too, as ten thousand sockets, or a store of a million actors, and more rounds where a case is
               made of few, as in failover
  --quick      of growth: up to ten thousand rows only, to try it
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

/** Runs one and tells its lines. Returns whether it came to its end; a server that cannot be had is no failure. */
async function run(
  { name, run: cases }: Bench,
  options: BenchOptions,
  tell: (line: BenchCase) => void,
): Promise<boolean> {
  try {
    for await (const line of cases(options)) tell(line);
    return true;
  } catch (error) {
    if (error instanceof UnavailableError) console.error(`${name}: left out, ${error.message}`);
    else console.error(`${name}: failed,`, error);
    return error instanceof UnavailableError;
  }
}

/** Puts the figures of one benchmark into the page. */
async function keep({ name, servers }: Bench, cases: readonly BenchCase[]): Promise<void> {
  const file = Bun.file(join(import.meta.dirname, "..", PAGE));
  const versions = await versionsLine(new Set(servers));
  const day = new Date().toISOString().slice(0, 10);
  const kind = args.delivered ? "delivered" : "tuned";
  const server = servers.includes("postgres") ? kind : "none";
  const section = { bench: name, server, cases, day, machine: machine(), versions, load } as const;
  await file.write(withSection(await file.text(), section));
}

let args: ReturnType<typeof readArguments>;
try {
  args = readArguments(process.argv.slice(2));
} catch (error) {
  console.error(`${error instanceof Error ? error.message : String(error)}\n\n${usage()}`);
  process.exit(EXIT_USAGE);
}
const { help, json, report, delivered, names, options } = args;
if (help) {
  console.log(usage());
  process.exit(0);
}
const benches = chosen(names);
if (delivered) await useDeliveredPostgres();
if (!json) console.log(TABLE_HEAD);
const [load = 0] = loadavg();
let complete = true;
for (const bench of benches) {
  const cases: BenchCase[] = [];
  const ended = await run(bench, options, (line) => {
    cases.push(line);
    console.log(json ? toJsonLine(line) : toRow(line));
  });
  if (ended && report && cases.length > 0) await keep(bench, cases);
  complete = ended && complete;
}
const used = new Set<ServerName>(benches.flatMap(({ servers }) => servers));
if (!json) console.log(`\n${await versionsLine(used)}`);
process.exit(complete ? 0 : 1);
