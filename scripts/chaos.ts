#!/usr/bin/env bun
/** `bun run chaos`: fault runs with the checker's verdict. See `--help`. */
import { appendFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { type Fault, FAULTS } from "./chaos/faults.ts";
import { type Outage, OUTAGE_NAMES } from "./chaos/outages/faults.ts";
import { report } from "./chaos/outages/report.ts";
import { outages } from "./chaos/outages/run.ts";
import { chaos } from "./chaos/run.ts";
import { SERVICE_FAULT_NAMES, type ServiceFault } from "./chaos/services/faults.ts";
import { serviceReport } from "./chaos/services/report.ts";
import { serviceRun } from "./chaos/services/run.ts";
import { shopRun } from "./chaos/shop/run.ts";

const EXIT_USAGE = 2;
const EXIT_INTERRUPTED = 130;
const SHOWN = 20;
const SHOP_AWAY_MS = 15_000;
const USAGE = `Usage: bun run chaos [--seed N] [--minutes M | --seconds S] [--faults a,b] [--rate R] [--json]

Breaks things under load, then looks for everything that was answered. Exits with 1 when something is lost, doubled, out of
order or does not add up.

Faults of nodes: ${FAULTS.join(", ")}; nodes stands for all of them, and is the default.
  Three node processes share Postgres and NATS and are killed, paused and stopped at random, while clients count and move money.

Faults of servers and of the app: ${OUTAGE_NAMES.slice(0, 4).join(", ")}, the same with -hangs,
after-commit, after-publish, postgres-restart, postgres-backends; outages stands for all of them.
  The app runs on servers of its own. Events, orders and refills are posted all the while, and sent again until they are
  answered; every event goes to NATS, Kafka, RabbitMQ and Redis. A broker is killed (or made to hang), stays away for --seconds,
  and comes back on its data. The app ends itself after a commit and after a publish, five times each; Postgres is stopped at
  once five times; all its connections are ended five times. Then all four brokers are read to the end.
  Two tables: per fault what was answered, lost, repeated, out of order, the longest silence of a broker that was there, and
  how long the backlog took; and how long events took to each broker that was there.

The shop: --faults shop. --orders simulated orders (default: 2000) at --rate a second (default: 20), 10 % declined, 5 % cancelled, 5 % lost, while
  the worker of the sagas is killed every --seconds (default: 20) and Kafka and RabbitMQ are away once each. In the end
  every order is at an end, the invariants hold, and every invoice and notice is there once.

Faults of services: ${SERVICE_FAULT_NAMES.join(", ")};
services stands for all of them.
  A service of four replicas runs on two Docker engines that two processes of the app drive, all of them the run's own. It is
  asked for at --rate a second (default: 200) while updates succeed and fail, replicas, an engine and an app process are killed,
  and strangers make containers with our labels, at random moments. Each must converge, no more containers may run than
  replicas and surge, healthy replicas are left alone, and the table counts requests that failed. --repeats N times each.

  --seed N       brings the same faults again (default: one of its own)
  --seconds S    how long a run of nodes takes; how long a broker is away (default: 60 seconds); --minutes M likewise
  --faults a,b   which faults, of one kind (default: nodes)
  --rate R       events a second, for faults of servers and of the app (default: 500); requests a second, for faults of services
  --repeats N    how often each fault of services comes (default: 1)
  --orders N     how many orders, for the shop
  --log FILE     where the log of the app goes, for faults of servers and of the app (default: nowhere)
  --json         one line of JSON
  --help         this text`;

function usageError(what: string): never {
  console.error(`${what}\n\n${USAGE}`);
  process.exit(EXIT_USAGE);
}

function numberOf(flag: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const number = Number(text);
  return number >= 0 && Number.isFinite(number) ? number : usageError(`Cannot use "${text}" for ${flag}: use a number`);
}

type Chosen =
  | { readonly kind: "nodes"; readonly faults: readonly Fault[] }
  | { readonly kind: "outages"; readonly faults: readonly Outage[] }
  | { readonly kind: "services"; readonly faults: readonly ServiceFault[] }
  | { readonly kind: "shop" };

function faultsOf(text = "nodes"): Chosen {
  if (text.trim() === "shop") return { kind: "shop" };
  const names = text.split(",").flatMap((name): readonly string[] => {
    if (name.trim() === "nodes") return FAULTS;
    if (name.trim() === "services") return SERVICE_FAULT_NAMES;
    return name.trim() === "outages" ? OUTAGE_NAMES : [name.trim()];
  });
  const ofServices = names.flatMap((name) => SERVICE_FAULT_NAMES.find((fault) => fault === name) ?? []);
  if (ofServices.length === names.length) return { kind: "services", faults: ofServices };
  const ofNodes = names.flatMap((name) => FAULTS.find((fault) => fault === name) ?? []);
  const ofServers = names.flatMap((name) => OUTAGE_NAMES.find((fault) => fault === name) ?? []);
  if (ofNodes.length === names.length) return { kind: "nodes", faults: ofNodes };
  if (ofServers.length === names.length) return { kind: "outages", faults: ofServers };
  const known: ReadonlySet<string> = new Set([...ofNodes, ...ofServers, ...ofServices]);
  const unknown = names.find((name) => !known.has(name));
  return usageError(
    unknown === undefined
      ? "Cannot mix faults of nodes, of servers and of services: run them one after the other"
      : `There is no fault "${unknown}"`,
  );
}

function readArguments() {
  try {
    return parseArgs({
      options: {
        seed: { type: "string" },
        minutes: { type: "string" },
        seconds: { type: "string" },
        faults: { type: "string" },
        rate: { type: "string" },
        orders: { type: "string" },
        repeats: { type: "string" },
        log: { type: "string" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    }).values;
  } catch (error) {
    return usageError(error instanceof Error ? error.message : String(error));
  }
}

async function runNodes(seed: number, forMs: number, faults: readonly Fault[]): Promise<boolean> {
  const verdict = await chaos({ seed, forMs, faults });
  const { faults: counts, raises, moves, failedTries, longestMs, violations } = verdict;
  if (values.json) {
    console.log(JSON.stringify(verdict));
  } else {
    console.log(`  ${counts.kill} kills, ${counts.pause} pauses, ${counts.stop} orderly restarts`);
    console.log(`  ${raises} raises and ${moves} transfers answered, ${failedTries} tries failed on the way`);
    console.log(`  the longest wait for an answer was ${(longestMs / 1_000).toFixed(1)} s`);
    for (const violation of violations.slice(0, SHOWN)) console.log(`  ✗ ${violation}`);
    if (violations.length > SHOWN) console.log(`  … and ${violations.length - SHOWN} more`);
  }
  return violations.length === 0;
}

async function runOutages(seed: number, awayMs: number, rate: number, faults: readonly Outage[]): Promise<boolean> {
  const verdict = await outages({ seed, awayMs, rate, faults, ...telling() });
  console.log(values.json ? JSON.stringify(verdict) : `\n${report(verdict)}\n`);
  return verdict.violations.length === 0;
}

async function runServices(seed: number, rate: number, repeats: number, faults: readonly ServiceFault[]) {
  const verdict = await serviceRun({ seed, rate, repeats, faults, ...telling() });
  console.log(values.json ? JSON.stringify(verdict) : `\n${serviceReport(verdict)}\n`);
  return verdict.violations.length === 0;
}

async function runShop(orders: number, ratePerSecond: number, killEveryMs: number): Promise<boolean> {
  const verdict = await shopRun({ orders, ratePerSecond, killEveryMs, awayMs: SHOP_AWAY_MS, ...telling() });
  const { ends, kills, invoices, notices, violations } = verdict;
  if (values.json) {
    console.log(JSON.stringify(verdict));
  } else {
    console.log(
      `  ${Object.entries(ends)
        .map(([status, count]) => `${count} ${status}`)
        .join(", ")}`,
    );
    console.log(`  ${kills} workers killed, ${invoices} invoices, ${notices} notices`);
    for (const violation of violations.slice(0, SHOWN)) console.log(`  ✗ ${violation}`);
    if (violations.length > SHOWN) console.log(`  … and ${violations.length - SHOWN} more`);
  }
  return violations.length === 0;
}

/** Who is told what happens while servers of our own run. */
function telling() {
  const since = performance.now();
  const say = (what: string): void =>
    console.error(`  ${((performance.now() - since) / 1_000).toFixed(1).padStart(6)} s  ${what}`);
  const { log } = values;
  const onLine = (line: string): void => {
    if (log !== undefined) appendFileSync(log, `${line}\n`);
  };
  const onStart = (end: () => Promise<void>): void => {
    for (const signal of ["SIGINT", "SIGTERM"] as const)
      process.once(signal, () => void end().finally(() => process.exit(EXIT_INTERRUPTED)));
  };
  return { say, onLine, onStart };
}

const values = readArguments();
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
const chosen = faultsOf(values.faults);
const seed = Math.floor(numberOf("--seed", values.seed) ?? Math.random() * 1_000_000);
const minutes = numberOf("--minutes", values.minutes);
const seconds = numberOf("--seconds", values.seconds) ?? (minutes === undefined ? undefined : minutes * 60);
const rate = numberOf("--rate", values.rate);
const say = (what: string): void => {
  if (!values.json) console.log(`chaos: ${what}`);
};

async function runChosen(): Promise<boolean> {
  if (chosen.kind === "shop") {
    const orders = numberOf("--orders", values.orders) ?? 2_000;
    say(`${orders} orders, ${rate ?? 20} a second, a worker lives ${seconds ?? 20} s`);
    return await runShop(orders, rate ?? 20, (seconds ?? 20) * 1_000);
  }
  if (chosen.kind === "services") {
    const repeats = numberOf("--repeats", values.repeats) ?? 1;
    say(`seed ${seed}, ${rate ?? 200} requests a second, ${chosen.faults.join(", ")}`);
    return await runServices(seed, rate ?? 200, repeats, chosen.faults);
  }
  const lasting = seconds ?? 60;
  if (chosen.kind === "nodes") {
    say(`seed ${seed}, ${lasting} s`);
    return await runNodes(seed, lasting * 1_000, chosen.faults);
  }
  say(`seed ${seed}, ${lasting} s away, ${rate ?? 500} events a second, ${chosen.faults.join(", ")}`);
  return await runOutages(seed, lasting * 1_000, rate ?? 500, chosen.faults);
}

const held = await runChosen();
if (!values.json) console.log(held ? "held: nothing lost, nothing doubled" : `broken: repeat with --seed ${seed}`);
process.exit(held ? 0 : 1);
