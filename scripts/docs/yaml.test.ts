import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseConfig } from "#actors/orchestrator/config/parse.ts";
import { DEFAULT_POLICY } from "#actors/orchestrator/config/policy.ts";
import { readConfigFile } from "../app/config-file.ts";
import { markdownPages } from "./pages.ts";

const ROOT = resolve(import.meta.dir, "../..");

/** The YAML of the pages: their blocks, and what they give to `curl` by `<<'YAML'`. */
const files = markdownPages(ROOT).flatMap((page) => {
  const text = readFileSync(join(ROOT, page), "utf8");
  const found = [...text.matchAll(/^```yaml\n([^]*?)^```$/gmu), ...text.matchAll(/<<'YAML'\n([^]*?)^YAML$/gmu)];
  return found.map(([, yaml = ""]) => ({ page, yaml, isServices: /^services:/mu.test(yaml) }));
});

test("every file of services that a page shows is taken", () => {
  const shown = files.filter(({ isServices }) => isServices);
  expect(shown.length).toBeGreaterThan(1);
  const problems = shown.flatMap(({ page, yaml }) => {
    const parsed = parseConfig(yaml, { ...DEFAULT_POLICY, bindRoots: ["."] });
    return parsed.ok ? [] : parsed.issues.map(({ path, message }) => `${page}: ${path}: ${message}`);
  });
  expect(problems).toEqual([]);
});

test("every file of settings that a page shows holds keys that there are", () => {
  const shown = files.filter(({ isServices }) => !isServices);
  expect(shown.length).toBeGreaterThan(1);
  const problems = shown.flatMap(({ page, yaml }) => {
    const read = readConfigFile(yaml);
    return "errors" in read ? read.errors.map((error) => `${page}: ${error}`) : [];
  });
  expect(problems).toEqual([]);
});
