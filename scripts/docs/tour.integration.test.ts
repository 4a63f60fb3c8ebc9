import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { temporaryCheckout } from "../new/checkout.fixture.ts";

// No servers, but a copy of the checkout.
setDefaultTimeout(120_000);

const ROOT = resolve(import.meta.dir, "../..");
const tour = readFileSync(join(ROOT, "infra/docs/tour.md"), "utf8");

test("each answer of the tour names a folder, and files that are there", () => {
  const rows = tour.split("\n").filter((line) => /^\| Wh.*\? \|/u.test(line));
  expect(rows.length).toBe(8);
  const lost = rows.flatMap((row) => {
    const [, question = "", folder = "", answer = ""] = row.split("|").map((cell) => cell.trim());
    const home = folder.slice(1, -1);
    const files = [...answer.matchAll(/`([\w./-]+\.ts)`/gu)].map(([, file = ""]) => file);
    expect(files.length).toBeGreaterThan(0);
    const others = [...answer.matchAll(/`([\w/-]+\/)`/gu)].map(([, other = ""]) => other);
    const found = (file: string): boolean => [home, "", ...others].some((place) => existsSync(join(ROOT, place, file)));
    return [...(existsSync(join(ROOT, home)) ? [] : [home]), ...files.filter((file) => !found(file))].map(
      (what) => `${question} ${what}`,
    );
  });
  expect(lost).toEqual([]);
});

test("what the tour breaks is noticed: an answer that comes before its commit", () => {
  using checkout = temporaryCheckout();
  const [, broken = ""] = /^```ts\n(.*)\n```$/mu.exec(tour) ?? [];
  const whole = broken.replace(' && answer.kind === "error"', "");
  const file = join(checkout.root, "runtime/activation/output-gate.ts");
  const text = readFileSync(file, "utf8");
  expect(text.split(whole).length).toBe(2);
  // The two that fail, and no other, so that a slow machine fails nothing else; the first waits for what never comes.
  const which = "a reply, a query, a refusal and a repeat wait|when a commit fails, everything that rested on it fails";
  const run = () => {
    const command = [process.execPath, "test", "--timeout", "5000", "-t", which, "runtime/commit/commit-lane.test.ts"];
    return Bun.spawnSync(command, { cwd: checkout.root }).stderr.toString();
  };
  expect(run()).toContain("\n 2 pass\n");
  writeFileSync(file, text.replace(whole, broken));
  expect(run()).toContain("\n 2 fail\n");
});
