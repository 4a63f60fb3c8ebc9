/**
 * The OpenAPI document against the app, by a tester of public make: whatever the document says of requests, answers, statuses,
 * headers and keys has to be so. `schemathesis` comes from PyPI into a folder that all checkouts share.
 */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BEYOND_EVERY_SCHEMA, BEYOND_PATH, BEYOND_SCHEMA, NO_FAULT } from "../openapi/exceptions.ts";
import { pythonMissing, pythonWith } from "../openapi/python.ts";
import type { AppProcess } from "./app-process.ts";
import { type Harness, openHarness } from "./harness.ts";

// `TROUPE_OPENAPI=50 bun test scripts/e2e/openapi.e2e.test.ts` for more examples of each operation, beside the bounds of each.
const EXAMPLES = Number(process.env["TROUPE_OPENAPI"] ?? 1);
/** Requests at a time. */
const WORKERS = 4;
const SEED = Number(process.env["TROUPE_OPENAPI_SEED"] ?? 1);
setDefaultTimeout(1_200_000);

const VERSION = "4.32.5";
const missing = pythonMissing();
if (missing !== undefined) console.log(`openapi: skipped, as ${missing}`);
const CONFIG = join(import.meta.dirname, "..", "openapi", "schemathesis.toml");
/** What answers without end, or becomes a socket, is asked in other tests. */
const ELSEWHERE = /\/(?:logs|watch|socket)$/;

let harness: Harness;
let app: AppProcess;

beforeAll(async () => {
  if (missing !== undefined) return;
  harness = await openHarness();
  app = await harness.start().ready();
}, 240_000);
afterAll(() => harness?.[Symbol.asyncDispose](), 60_000);

interface Failure {
  readonly operation: string;
  readonly check: string;
  /** The answer, where it is a problem. */
  said: string;
}

/** What the tester found, as its report tells it. */
async function differences(): Promise<{ readonly failures: Failure[]; readonly ended: string }> {
  const python = await pythonWith("schemathesis", VERSION);
  const url = `${await app.listening()}/openapi/json`;
  const child = Bun.spawn(
    [
      python,
      "-m",
      "schemathesis.cli",
      "--config-file",
      CONFIG,
      "--no-color",
      "run",
      url,
      "--checks=all",
      `--workers=${WORKERS}`,
      `--max-examples=${EXAMPLES}`,
      `--seed=${SEED}`,
      "--max-failures=1000",
      "--request-timeout=30",
      "--suppress-health-check=all",
      "--phases=examples,coverage,fuzzing",
      `--exclude-path-regex=${ELSEWHERE.source}`,
    ],
    // It keeps what it found in the folder it is run in.
    { stdout: "pipe", stderr: "pipe", cwd: tmpdir(), env: { ...process.env, COLUMNS: "200" } },
  );
  const text = await new Response(child.stdout).text();
  await child.exited;
  return { failures: failuresIn(text), ended: text.slice(-2_000) };
}

/** The failures of a report: a heading for each operation, and below it the test cases, each with what was wrong and the answer. */
function failuresIn(report: string): Failure[] {
  const failures: Failure[] = [];
  let operation = "";
  let found: Failure[] = [];
  for (const line of report.slice(Math.max(0, report.indexOf("FAILURES"))).split("\n")) {
    operation = /^_{3,} ([A-Z]+ \S+) _{3,}$/.exec(line)?.[1] ?? operation;
    if (/^\d+\. Test Case ID/.test(line)) found = [];
    const check = /^- (ST\d+ .+)$/.exec(line)?.[1];
    if (check !== undefined) {
      const failure = { operation, check, said: "" };
      found.push(failure);
      failures.push(failure);
    }
    if (line.includes(NO_FAULT))
      failures.splice(
        failures.findLastIndex((one) => one.check.startsWith("ST201")),
        1,
      );
    if (line.startsWith("    `{")) for (const failure of found) failure.said = line;
  }
  return failures;
}

/** ST202: what fits a schema was refused. ST205: `Allow` names a method that the path of the document does not have. */
function isBeyondSchema({ operation, check, said }: Failure): boolean {
  if (check.startsWith("ST205")) return BEYOND_PATH.some((one) => one.operation.test(operation));
  if (!check.startsWith("ST202")) return false;
  return (
    BEYOND_SCHEMA.some((one) => one.operation.test(operation)) ||
    BEYOND_EVERY_SCHEMA.some((code) => said.includes(code))
  );
}

test.skipIf(missing !== undefined)(
  `the document and the app say the same (seed ${SEED}, ${EXAMPLES} examples)`,
  async () => {
    const { failures, ended } = await differences();
    // It has to have come to its end, and to have asked for something.
    expect(ended).toMatch(/={3,} .*(?:passed|failures?|No issues).* ={3,}/);
    const named = failures
      .filter((one) => !isBeyondSchema(one))
      .map((one) => `${one.operation}: ${one.check} ${one.said}`);
    expect([...new Set(named)]).toEqual([]);
  },
);
