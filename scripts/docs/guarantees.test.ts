import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const ROOT = resolve(import.meta.dir, "../..");

/** The tests that a page cites: `file`: "title". */
function cited(page: string): { readonly file: string; readonly title: string }[] {
  const text = readFileSync(join(ROOT, page), "utf8");
  return [...text.matchAll(/`([\w./-]+\.test\.ts)`: "([^"]+)"/gu)].map(([, file = "", title = ""]) => ({
    file,
    title,
  }));
}

test("every test that the page of guarantees cites is there, under that title", () => {
  const all = cited("infra/docs/guarantees.md");
  expect(all.length).toBeGreaterThan(30);
  const lost = all.filter(
    ({ file, title }) =>
      !existsSync(join(ROOT, file)) || !readFileSync(join(ROOT, file), "utf8").includes(`test("${title}"`),
  );
  expect(lost).toEqual([]);
});

test("every row of the page of guarantees ends with a test", () => {
  const rows = readFileSync(join(ROOT, "infra/docs/guarantees.md"), "utf8")
    .split("\n")
    .filter((line) => line.startsWith("| ") && !line.startsWith("| Promise"));
  expect(rows.filter((row) => !/`[\w./-]+\.test\.ts`: "[^"]+" \|$/u.test(row))).toEqual([]);
});
