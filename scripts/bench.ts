#!/usr/bin/env bun
/** `bun run bench [name…]`: what the parts reach, with a baseline beside each in the same run. See `--help`. */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { type ServerName, UnavailableError } from "#infra/stack/types.ts";
import { processorsInUse } from "./bench/cpu.ts";
import { useDeliveredPostgres } from "./bench/delivered.ts";
import { readFigures, type Section, withSection, writeFigures } from "./bench/figures.ts";
import { type BenchOptions, readArguments } from "./bench/options.ts";
import { machine, PAGE, withFigures } from "./bench/page.ts";
import { progress } from "./bench/progress.ts";
import { type Bench, BENCHES } from "./bench/registry.ts";
import { type BenchCase, TABLE_HEAD, toJsonLine, toRow } from "./bench/report.ts";
import { versionsLine } from "./bench/versions.ts";

const EXIT_USAGE = 2;
/** How long it is looked who else is at work. */
const LOOK_MS = 1_000;

function list(): string {
  return BENCHES.map(({ name, about, seconds, alone }) => {
    const how = alone === true ? `${duration(seconds)}, only where it is named` : duration(seconds);
    return `  ${name.padEnd(12)} ${about} (${how})`;
  }).join("\n");
}

function duration(seconds: number): string {
  return seconds < 90 ? `${Math.round(seconds)} s` : `${Math.round(seconds / 60)} min`;
}

function usage(): string {
  return `Usage: bun run bench [name…] [--json] [--report] [--delivered] [--full | --quick] [--only text] [--sink name,…] [--open-transaction duration]

Runs benchmarks, without a name all of them that need not be named, each with its baseline. Servers that do not run are started, and stopped again.

${list()}

  --json       a line of JSON per case instead of a table
  --report     writes the figures into ${PAGE} too, each part of a benchmark in the place of its last ones
               as soon as it has ended: what was broken off is gone on with by naming what is left
  --delivered  on a PostgreSQL of this run's own, with the defaults it is delivered with; the page shows both beside each other
  --full       the large cases too, as ten thousand sockets, or a store of a million actors, and more rounds where a case is
               made of few, as in failover
  --only       of relay, growth and services: the parts whose names hold this text, as in "kafka", "open" or "timers"
  --quick      of growth: up to ten thousand rows only, to try it; of services: few rounds
  --sink       of relay: the brokers to measure with, of nats, kafka, rabbitmq and redis; all of them without it
  --open-transaction
               of relay: how long a transaction is left open before what goes on beside it is measured, as in 10m; 10s without it
  --help       this text`;
}

/**
 * The benchmarks of these names, in their order; without a name all, or all that use PostgreSQL where it is about that. Ends the
 * process for a name there is none of.
 */
function chosen(names: readonly string[], delivered: boolean): readonly Bench[] {
  for (const name of names) {
    if (BENCHES.some((bench) => bench.name === name)) continue;
    console.error(`There is no benchmark "${name}". There are:\n${list()}`);
    process.exit(EXIT_USAGE);
  }
  return BENCHES.filter(({ name, servers, alone }) =>
    names.length === 0 ? !alone && (!delivered || servers.includes("postgres")) : names.includes(name),
  );
}

/** Runs one and tells its lines. Returns whether it came to its end; a server that cannot be had is no failure. */
async function run(
  { name, run: cases }: Bench,
  options: BenchOptions,
  tell: (line: BenchCase) => Promise<void>,
): Promise<boolean> {
  try {
    for await (const line of cases(options)) await tell(line);
    return true;
  } catch (error) {
    if (error instanceof UnavailableError) console.error(`${name}: left out, ${error.message}`);
    else console.error(`${name}: failed,`, error);
    return error instanceof UnavailableError;
  }
}

/** Puts what a part of a benchmark has measured among the figures, and writes the page anew. */
async function keep({ name, servers }: Bench, group: string, cases: readonly BenchCase[]): Promise<void> {
  const kind = args.delivered ? "delivered" : "tuned";
  const section: Section = {
    bench: name,
    group,
    server: servers.includes("postgres") ? kind : "none",
    day: new Date().toISOString().slice(0, 10),
    machine: machine(),
    versions: await versionsLine(new Set(servers)),
    load,
    processors: availableParallelism(),
    cases,
  };
  await writeFigures(withSection(await readFigures(), section));
  // As they are kept, which is rounded: the page must say the same whenever it is made of them.
  const figures = await readFigures();
  const page = Bun.file(join(import.meta.dirname, "..", PAGE));
  const order = BENCHES.map((bench) => bench.name);
  await page.write(withFigures(await page.text(), figures, order));
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
const benches = chosen(names, delivered);
/** Not the load average: it counts what ended minutes ago, the run before this one too. */
const load = report ? await processorsInUse(LOOK_MS) : 0;
if (delivered) await useDeliveredPostgres();
if (!json) console.log(TABLE_HEAD);
let complete = true;
const begun = performance.now();
for (const [i, bench] of benches.entries()) {
  const from = performance.now();
  progress(
    `${bench.name}: ${i + 1} of ${benches.length}, about ${duration(bench.seconds)}; ${duration((from - begun) / 1_000)} since the start`,
  );
  let part: BenchCase[] = [];
  const keepPart = async (): Promise<void> => {
    if (report && part.length > 0) await keep(bench, part[0]?.group ?? "", part);
    part = [];
  };
  const ended = await run(bench, options, async (line) => {
    if (line.group !== part[0]?.group) await keepPart();
    part.push(line);
    console.log(json ? toJsonLine(line) : toRow(line));
  });
  if (ended) await keepPart();
  progress(`${bench.name}: took ${duration((performance.now() - from) / 1_000)}`);
  complete = ended && complete;
}
const used = new Set<ServerName>(benches.flatMap(({ servers }) => servers));
if (!json) console.log(`\n${await versionsLine(used)}`);
process.exit(complete ? 0 : 1);
