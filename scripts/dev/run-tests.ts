/** The run of `bun run test`: servers up, `bun test`, servers down, the closing line. */
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { TEST_RUN_VARIABLE } from "#infra/stack/for-tests.ts";
import { RECIPES } from "#infra/stack/recipes.ts";
import { display } from "#infra/stack/report.ts";
import { openTestRun, type TestRun } from "#infra/stack/test-run.ts";
import { type Env, SERVER_NAMES, UnavailableError } from "#infra/stack/types.ts";
import { prepareBundles } from "./bundles.ts";
import { closingLine, readSummary } from "./test-summary.ts";

const ROOT = join(import.meta.dirname, "..", "..");

/** Files of a whole run that run at once. Most tests wait for servers, and every process of the app that an e2e test starts wants a core. */
const FILES_AT_ONCE = Math.min(availableParallelism(), 4);

/**
 * Runs `bun test` with the given arguments and answers its exit code. Without arguments every server is started first, since every
 * test runs, and as many files run at once as there are cores, 4 at most; with arguments each is started when a test asks for it, and
 * files run one after the other unless `--parallel=N` says otherwise. The last line printed is `N passed, N failed[, N skipped]`.
 */
export async function runTests(args: readonly string[]): Promise<number> {
  // The tests get the interrupt from the terminal too and end by themselves; we stay to stop the servers.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => undefined);
  const run = await openTestRun();
  const report = mkdtempSync(join(tmpdir(), "troupe-report-"));
  try {
    const env = args.length === 0 ? await everyServer(run) : {};
    const junit = join(report, "junit.xml");
    const whole = args.length === 0 ? [`--parallel=${FILES_AT_ONCE}`] : args;
    const code = await bunTest([...whole, "--reporter=junit", `--reporter-outfile=${junit}`], {
      ...withoutServers(),
      ...env,
      [TEST_RUN_VARIABLE]: run.socket,
    });
    const summary = readSummary(junit, code);
    await run.end();
    console.log(`\n${closingLine(summary)}`);
    return code === 0 && summary.failed > 0 ? 1 : code;
  } finally {
    await run.end();
    rmSync(report, { recursive: true, force: true });
  }
}

async function everyServer(run: TestRun): Promise<Env> {
  // Not waited for: the first test that runs a workflow finds them, or waits for the same build.
  prepareBundles();
  const shown = display();
  const outcomes = await Promise.allSettled(SERVER_NAMES.map((name) => run.server(name, shown.report)));
  shown.close();
  const env: Env = {};
  for (const outcome of outcomes) {
    if (outcome.status === "fulfilled") Object.assign(env, outcome.value);
    // Missing ones were shown; the tests that need them will say so. Anything else is a defect.
    else if (!(outcome.reason instanceof UnavailableError)) throw outcome.reason;
  }
  return env;
}

/** The environment without empty variables of servers: an empty `KAFKA_BROKERS=` means "none named". */
function withoutServers(): Record<string, string | undefined> {
  const env: Record<string, string | undefined> = { ...process.env };
  for (const name of SERVER_NAMES) if (env[RECIPES[name].variable] === "") delete env[RECIPES[name].variable];
  return env;
}

function bunTest(args: readonly string[], env: Record<string, string | undefined>): Promise<number> {
  return new Promise((resolve) => {
    // Bun's own 5 s is less than a unit test may wait for its turn on a busy machine. A `--timeout` of the caller holds.
    const child = spawn(process.execPath, ["test", "--timeout=60000", ...args], { cwd: ROOT, env, stdio: "inherit" });
    child.once("error", (error) => {
      console.error(`bun test cannot be started: ${error.message}`);
      resolve(1);
    });
    child.once("exit", (code, signal) => {
      if (signal !== null) console.error(`bun test was ended by ${signal}`);
      resolve(code ?? 1);
    });
  });
}
