import { describe, expect, test } from "bun:test";
import { runSteps } from "./run.ts";
import { isUnitTest, narrowTo } from "./scope.ts";
import { checks, fixes } from "./steps.ts";

const scope = { areas: ["runtime", "scripts"], tests: ["runtime/mailbox.test.ts", "scripts/verify/verify.test.ts"] };
const namesOf = (steps: readonly { name: string }[]): string[] => steps.map(({ name }) => name);
const script = (code: string): string[] => [process.execPath, "-e", code];

describe("checks()", () => {
  test("covers format, lint, types, boundaries, docs, api, contracts, dead code and unit tests of the whole tree", () => {
    const names = ["format", "lint", "types", "boundaries", "docs", "api", "contracts", "dead code", "unit tests"];
    expect(namesOf(checks(scope))).toEqual(names);
  });

  test("formats and lints only the files it is narrowed to, and tests only their folders", () => {
    const steps = checks(narrowTo(scope, ["runtime/mailbox.ts", "README.md"]));
    const command = (name: string) => steps.find((step) => step.name === name)?.command ?? [];
    expect(command("lint").slice(-1)).toEqual(["runtime/mailbox.ts"]);
    expect(command("lint")).not.toContain("runtime");
    expect(command("unit tests").slice(4)).toEqual(["./runtime/mailbox.test.ts"]);
  });

  test("leaves out what none of the files concerns, and dead code, which a later commit may use", () => {
    expect(namesOf(checks(narrowTo(scope, ["README.md"])))).toEqual(["types"]);
    expect(namesOf(checks(narrowTo(scope, ["runtime/clock.ts"])))).not.toContain("dead code");
    expect(namesOf(checks(narrowTo(scope, ["runtime/clock.ts"])))).toContain("docs");
    expect(namesOf(checks(narrowTo(scope, ["scripts/dev.ts"])))).not.toContain("docs");
    expect(namesOf(checks(narrowTo(scope, ["runtime/actor/actor.ts"])))).toContain("contracts");
    expect(namesOf(checks(narrowTo(scope, ["runtime/base/clock.ts"])))).not.toContain("contracts");
  });
});

test("fixes() lints before it formats, and makes the pages anew that are made from the code", () => {
  expect(namesOf(fixes(scope))).toEqual(["fix lint", "fix format", "write pages"]);
  expect(fixes(narrowTo(scope, ["README.md"]))).toEqual([]);
});

test("isUnitTest() leaves out tests that need servers", () => {
  expect(isUnitTest("infra/nats/sink.test.ts")).toBe(true);
  expect(isUnitTest("infra/nats/sink.integration.test.ts")).toBe(false);
  expect(isUnitTest("scripts/e2e/order.e2e.test.ts")).toBe(false);
});

describe("runSteps()", () => {
  test("goes on after a failure and keeps the output and the order of the steps", async () => {
    const steps = [
      { name: "bad", command: script("console.log('why'); process.exit(3)") },
      { name: "good", command: script("console.error('fine')") },
    ];
    const told: string[] = [];
    const outcomes = await runSteps(import.meta.dir, steps, 2, ({ step }) => told.push(step.name));
    expect(outcomes.map(({ step, passed, output }) => [step.name, passed, output.trim()])).toEqual([
      ["bad", false, "why"],
      ["good", true, "fine"],
    ]);
    expect(told.toSorted()).toEqual(["bad", "good"]);
  });

  test("reports a command that is not there as a failure", async () => {
    const [outcome] = await runSteps(import.meta.dir, [{ name: "gone", command: ["/no/such/tool"] }], 1, () => {});
    expect(outcome?.passed).toBe(false);
    expect(outcome?.output).toContain("/no/such/tool");
  });
});
