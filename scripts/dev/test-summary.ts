/** How a test run went, from its JUnit report. */
import { readFileSync } from "node:fs";

/** Counts of a run. */
export interface TestSummary {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/**
 * Reads the report. A run that ended with an error has at least one failure, also when there is no report (a crash) or the report
 * knows of none (an error between tests).
 */
export function readSummary(path: string, exitCode: number): TestSummary {
  const counts = countsOf(textOf(path));
  const failed = exitCode === 0 ? counts.failed : Math.max(1, counts.failed);
  return { ...counts, failed };
}

/** `12 passed, 0 failed`, and `, 1 skipped` when some were. */
export function closingLine(summary: TestSummary): string {
  const skipped = summary.skipped === 0 ? "" : `, ${summary.skipped} skipped`;
  return `${summary.passed} passed, ${summary.failed} failed${skipped}`;
}

/** The root element carries the totals: `<testsuites tests="3" failures="1" skipped="0">`. */
function countsOf(xml: string): TestSummary {
  const root = /<testsuites\b[^>]*>/.exec(xml)?.[0] ?? "";
  const count = (name: string): number => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(root)?.[1] ?? 0);
  const failed = count("failures") + count("errors");
  const skipped = count("skipped");
  return { passed: Math.max(0, count("tests") - failed - skipped), failed, skipped };
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
