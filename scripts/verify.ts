/**
 * `bun run verify`: format, lint, types, boundaries, docstrings, dead code and unit tests, as one door for people, the commit hook
 * and CI. Prints a line for each step and the output of those that failed. Exits with 1 when any did.
 *
 * `--fix` puts right first what the formatter and the linter can. `--staged` judges the files of the next commit, as
 * they are on disk, and leaves out dead code.
 */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { runSteps, type Outcome } from "./verify/run.ts";
import { stagedFiles, wholeTree } from "./verify/scope.ts";
import { checks, fixes } from "./verify/steps.ts";

const root = resolve(import.meta.dir, "..");
const { values } = parseArgs({ options: { fix: { type: "boolean" }, staged: { type: "boolean" } } });
const startedAt = performance.now();

console.log("verify");
const passed = await verify();
console.log(`└─ ${passed ? "all good" : "failed"} in ${seconds(performance.now() - startedAt)}`);
process.exitCode = passed ? 0 : 1;

async function verify(): Promise<boolean> {
  if (!existsSync(`${root}/node_modules`)) {
    const install = { name: "install", command: [process.execPath, "install", "--frozen-lockfile"] };
    if (!report(await runSteps(root, [install], 1, printLine))) return false;
  }
  const scope = values.staged ? stagedFiles(root) : wholeTree(root);
  if (scope.files?.length === 0) return true;
  if (values.fix && !report(await runSteps(root, fixes(scope), 1, printLine))) return false;
  return report(await runSteps(root, checks(scope), 2, printLine));
}

function printLine({ step, passed: ok, ms }: Outcome): void {
  console.log(`├─ ${ok ? "✓" : "✗"} ${step.name.padEnd(12)} ${seconds(ms).padStart(6)}`);
}

/** Prints what the failed steps had to say, and tells whether there were none. */
function report(outcomes: readonly Outcome[]): boolean {
  const failed = outcomes.filter((outcome) => !outcome.passed);
  for (const { step, output } of failed) {
    console.log(`│\n│  ${step.name}: ${step.command.slice(1).join(" ").slice(0, 200)}`);
    console.log(output.trimEnd().replace(/^/gmu, "│  "));
  }
  return failed.length === 0;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)}s`;
}
