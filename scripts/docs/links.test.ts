import { expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { Glob } from "bun";
import { anchorsOf, lostFiles, lostLinks } from "./links.ts";
import { markdownPages } from "./pages.ts";

const ROOT = resolve(import.meta.dir, "../..");

test("every link of every Markdown page leads to a file, or to a heading of a page", () => {
  const pages = markdownPages(ROOT);
  expect(pages).toContain("runtime/README.md");
  expect(pages).toContain("infra/docs/glossary.md");
  expect(lostLinks(ROOT, pages)).toEqual([]);
});

test("every file that a page names is there", () => {
  expect(lostFiles(ROOT, markdownPages(ROOT))).toEqual([]);
});

test("every test that a page names without its folder is there", () => {
  const tests = new Set(
    [...new Glob("{runtime,infra,actors,workflows,scripts}/**/*.test.ts").scanSync(ROOT)].map((path) => basename(path)),
  );
  const named = markdownPages(ROOT).flatMap((page) =>
    [...readFileSync(join(ROOT, page), "utf8").matchAll(/`([\w-]+(?:\.\w+)*\.test\.ts)`/gu)].map(([, name = ""]) => ({
      page,
      name,
    })),
  );
  expect(named.length).toBeGreaterThan(10);
  expect(named.filter(({ name }) => !tests.has(name))).toEqual([]);
});

test("lostLinks() and lostFiles() find files, headings and references that are not there, and lostLinks() reads no code", () => {
  const folder = mkdtempSync(join(tmpdir(), "links-"));
  try {
    writeFileSync(join(folder, "other.md"), "# The `other` page\n");
    writeFileSync(
      join(folder, "page.md"),
      [
        "# A page",
        "[a](other.md) [b](other.md#the-other-page) [c](#a-page) [d](https://example.com/x)",
        "[e](gone.md) [f](other.md#gone) [g](#gone) [h](../outside.md)",
        "`[i](code.md)`",
        "```md",
        "[j](code.md)",
        "```",
        "[k]: also-gone.md",
      ].join("\n"),
    );
    expect(lostLinks(folder, ["page.md"]).map(({ line, target }) => `${line} ${target}`)).toEqual([
      "3 gone.md",
      "3 other.md#gone",
      "3 #gone",
      "3 ../outside.md",
      "8 also-gone.md",
    ]);
    writeFileSync(join(folder, "files.md"), "`runtime/gone.ts` and `runtime/<room>/x.ts` and `gone.ts`\n");
    expect(lostFiles(folder, ["files.md"])).toEqual([{ page: "files.md", line: 1, target: "runtime/gone.ts" }]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test("anchorsOf() names headings as GitHub does: punctuation goes, blanks become hyphens, repeats are counted", () => {
  const page =
    "# What survives what?\n## `troupe.watch()` & co.\n## Error codes\n## Error codes\n```sh\n# no heading\n```\n";
  expect([...anchorsOf(page)]).toEqual(["what-survives-what", "troupewatch--co", "error-codes", "error-codes-1"]);
});
