import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bundle, bundlesOf } from "./bundle.ts";

setDefaultTimeout(60_000);

let folder: string;
let built: string[][];
const before = process.env["TROUPE_CACHE"];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "troupe-bundle-"));
  process.env["TROUPE_CACHE"] = join(folder, "cache");
  built = [];
  checkout("one");
});

afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
  if (before === undefined) delete process.env["TROUPE_CACHE"];
  else process.env["TROUPE_CACHE"] = before;
});

/** A tree with two workflows and an actor. */
function checkout(name: string): string {
  const root = join(folder, name);
  for (const [file, text] of Object.entries({
    "bun.lock": "1",
    "package.json": "{}",
    "tsconfig.json": "{}",
    "workflows/a.ts": "export const a = 1;",
    "workflows/b.ts": "export const b = 1;",
    "actors/shop/plan.ts": "export const plan = 1;",
    "runtime/mod.ts": "export {};",
  })) {
    mkdirSync(join(root, file, ".."), { recursive: true });
    writeFileSync(join(root, file), text);
  }
  return root;
}

async function bundles(root: string, ...files: string[]): Promise<readonly Bundle[]> {
  return bundlesOf(
    files.map((file) => join(root, "workflows", file)),
    {
      root,
      build: async (missing) => {
        built.push(missing.map(({ workflowsPath }) => workflowsPath.slice(root.length + 1)));
        for (const { codePath } of missing) writeFileSync(codePath, "code");
      },
    },
  );
}

test("what is missing is built together, once, also when two ask at the same time", async () => {
  const root = join(folder, "one");
  const [first, second] = await Promise.all([bundles(root, "a.ts", "b.ts"), bundles(root, "a.ts", "b.ts")]);
  expect(built).toEqual([["workflows/a.ts", "workflows/b.ts"]]);
  expect(first).toEqual(second);
  await bundles(root, "b.ts");
  expect(built).toHaveLength(1);
});

test.each(["workflows/a.ts", "actors/shop/plan.ts", "runtime/mod.ts", "bun.lock", "package.json"])(
  "a change of %s is another bundle",
  async (file) => {
    const root = join(folder, "one");
    const [before] = await bundles(root, "b.ts");
    writeFileSync(join(root, file), "changed");
    const [after] = await bundles(root, "b.ts");
    expect(after?.codePath).not.toBe(before?.codePath ?? "");
    expect(built).toHaveLength(2);
  },
);

test("a test that changes, and another clone of the same code, are the same bundle", async () => {
  const root = join(folder, "one");
  await bundles(root, "a.ts");
  writeFileSync(join(root, "workflows", "a.test.ts"), "test");
  await bundles(root, "a.ts");
  const other = join(folder, "two");
  cpSync(root, other, { recursive: true });
  await bundles(other, "a.ts");
  expect(built).toHaveLength(1);
});

test("the cache is bounded: the bundles that were used longest ago go", async () => {
  const root = join(folder, "one");
  await bundles(root, "a.ts");
  const directory = join(folder, "cache", "workflow-bundles");
  for (let number = 0; number < 40; number++) {
    writeFileSync(join(directory, `old-${number}.js`), "old");
    utimesSync(join(directory, `old-${number}.js`), number, number);
  }
  writeFileSync(join(root, "bun.lock"), "2");
  const [fresh] = await bundles(root, "a.ts");
  const names = readdirSync(directory);
  expect(names).toHaveLength(24);
  expect(names).toContain("old-39.js");
  expect(names).not.toContain("old-0.js");
  expect(names.some((name) => fresh?.codePath.endsWith(name))).toBe(true);
});
