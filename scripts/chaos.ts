#!/usr/bin/env bun
/** `bun run chaos`: fault runs with the checker's verdict. See `--help`. */
import { parseArgs } from "node:util";
import { type Fault, FAULTS } from "./chaos/faults.ts";
import { chaos } from "./chaos/run.ts";

const EXIT_USAGE = 2;
const SHOWN = 20;
const USAGE = `Usage: bun run chaos [--seed N] [--minutes M | --seconds S] [--faults a,b] [--json]

Three node processes share Postgres and NATS and are killed, paused and stopped at random, while clients count and move money.
Then everything that was answered is looked for. Exits with 1 when something is lost, doubled, out of order or does not add up.

  --seed N       brings the same faults again (default: one of its own)
  --minutes M    how long; --seconds likewise (default: 60 seconds)
  --faults a,b   of ${FAULTS.join(", ")} (default: all)
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

function faultsOf(text: string | undefined): readonly Fault[] {
  const names = text?.split(",").map((name) => name.trim()) ?? [...FAULTS];
  return names.map((name) => FAULTS.find((fault) => fault === name) ?? usageError(`There is no fault "${name}"`));
}

function readArguments() {
  try {
    return parseArgs({
      options: {
        seed: { type: "string" },
        minutes: { type: "string" },
        seconds: { type: "string" },
        faults: { type: "string" },
        json: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    }).values;
  } catch (error) {
    return usageError(error instanceof Error ? error.message : String(error));
  }
}

const values = readArguments();
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
const seed = Math.floor(numberOf("--seed", values.seed) ?? Math.random() * 1_000_000);
const minutes = numberOf("--minutes", values.minutes);
const seconds = numberOf("--seconds", values.seconds) ?? (minutes === undefined ? 60 : minutes * 60);
if (!values.json) console.log(`chaos: seed ${seed}, ${seconds} s`);
const verdict = await chaos({ seed, forMs: seconds * 1_000, faults: faultsOf(values.faults) });
const { faults, raises, moves, failedTries, longestMs, violations } = verdict;
if (values.json) {
  console.log(JSON.stringify(verdict));
} else {
  console.log(`  ${faults.kill} kills, ${faults.pause} pauses, ${faults.stop} orderly restarts`);
  console.log(`  ${raises} raises and ${moves} transfers answered, ${failedTries} tries failed on the way`);
  console.log(`  the longest wait for an answer was ${(longestMs / 1_000).toFixed(1)} s`);
  for (const violation of violations.slice(0, SHOWN)) console.log(`  ✗ ${violation}`);
  if (violations.length > SHOWN) console.log(`  … and ${violations.length - SHOWN} more`);
  console.log(violations.length === 0 ? "held: nothing lost, nothing doubled" : `broken: repeat with --seed ${seed}`);
}
process.exit(violations.length === 0 ? 0 : 1);
