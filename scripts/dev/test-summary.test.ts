import { expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "#infra/stack/testing.ts";
import { closingLine, readSummary } from "./test-summary.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

test("readSummary() counts what passed, failed and was skipped", () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "junit.xml");
  writeFileSync(
    path,
    '<?xml version="1.0"?>\n<testsuites name="bun test" tests="10" assertions="9" failures="2" skipped="3" time="1">\n<testsuite tests="1" failures="1" /></testsuites>',
  );
  expect(readSummary(path, 1)).toEqual({ passed: 5, failed: 2, skipped: 3 });
  expect(closingLine(readSummary(path, 1))).toBe("5 passed, 2 failed, 3 skipped");
});

test("readSummary() counts a crash without a report as one failure", () => {
  expect(readSummary("/nowhere/junit.xml", 139)).toEqual({ passed: 0, failed: 1, skipped: 0 });
});

test("readSummary() counts a failing exit as a failure, also when every test passed", () => {
  using folder = temporaryFolder();
  const path = join(folder.path, "junit.xml");
  writeFileSync(path, '<testsuites tests="2" failures="0" skipped="0"></testsuites>');
  expect(closingLine(readSummary(path, 1))).toBe("2 passed, 1 failed");
  expect(closingLine(readSummary(path, 0))).toBe("2 passed, 0 failed");
});
