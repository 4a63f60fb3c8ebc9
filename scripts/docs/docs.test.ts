import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { checkDocs } from "./check.ts";
import { asModule, codeBlocks } from "./examples.ts";
import { exportedSymbols } from "./exports.ts";
import { typeCheck } from "./type-check.ts";

setDefaultTimeout(60_000);

const ROOT = resolve(import.meta.dir, "../..");

/** A project whose door is wrong in every way that the check knows, and right beside it. */
const PROJECT: Readonly<Record<string, string>> = {
  "package.json": JSON.stringify({ name: "p", type: "module", exports: { ".": "./mod.ts" } }),
  "tsconfig.json": JSON.stringify({
    compilerOptions: { strict: true, module: "preserve", noEmit: true, allowImportingTsExtensions: true },
  }),
  "mod.ts": [
    `export { add, bare, older } from "./values.ts";`,
    `export type { Made } from "./values.ts";`,
    `export type * from "./types.ts";`,
    `/** A constant. */`,
    `export const LIMIT = 3;`,
    `export const BARE_LIMIT = 4;`,
  ].join("\n"),
  "values.ts": [
    "/**",
    " * Adds.",
    " * @example",
    " * ```ts",
    ` * add(1, "2");`,
    " * ```",
    " */",
    "export function add(a: number, b: number): number { return a + b; }",
    "export const bare = (): void => undefined;",
    "/** Has no example. */",
    "function older(): void {}",
    "export { older };",
    "/** Given out as a type: nobody makes one. */",
    "export class Made {}",
    "/** Not exported by the door. */",
    "export function inside(): void {}",
  ].join("\n"),
  "types.ts": "/** A shape. */\nexport interface Shape { side: number }\nexport type Bare = string;\n",
};

let project = "";

beforeAll(async () => {
  mkdirSync(join(ROOT, ".troupe"), { recursive: true });
  project = mkdtempSync(join(ROOT, ".troupe", "docs-"));
  for (const [path, text] of Object.entries(PROJECT)) await Bun.write(join(project, path), text);
});

afterAll(() => rmSync(project, { recursive: true, force: true }));

describe("exportedSymbols()", () => {
  test("follows names through re-exports to their declaration and its docstring", () => {
    const symbols = exportedSymbols(project, "mod.ts");
    expect(
      symbols.map(({ name, kind, file, line, doc }) => `${name} ${kind} ${file}:${line} ${doc?.split("\n")[0]}`),
    ).toEqual([
      "add function values.ts:8 Adds.",
      "bare function values.ts:9 undefined",
      "older function values.ts:11 Has no example.",
      "Made type values.ts:14 Given out as a type: nobody makes one.",
      "Shape type types.ts:2 A shape.",
      "Bare type types.ts:3 undefined",
      "LIMIT value mod.ts:5 A constant.",
      "BARE_LIMIT value mod.ts:6 undefined",
    ]);
  });

  test("throws for a name that leads nowhere, so that it never passes for documented", async () => {
    await Bun.write(join(project, "lost.ts"), `export { gone } from "./values.ts";`);
    expect(() => exportedSymbols(project, "lost.ts")).toThrow("Cannot find the declaration of gone in values.ts");
  });
});

describe("checkDocs()", () => {
  test("finds what has no docstring, what has no example, and an example that does not compile", () => {
    const { faults, examples } = checkDocs(project);
    expect(examples).toBe(1);
    expect(faults.slice(0, -1)).toEqual([
      "values.ts:9 bare has no docstring",
      "values.ts:11 older has no @example",
      "types.ts:3 Bare has no docstring",
      "mod.ts:6 BARE_LIMIT has no docstring",
    ]);
    expect(faults.at(-1)).toStartWith("values.ts:8 add, in its example: error TS2345");
  });
});

describe("asModule()", () => {
  const known = new Map([
    ["* as v", "valibot"],
    ["actor", "p"],
    ["Log", "p"],
  ]);

  test("imports what the example uses and neither declares nor only mentions", () => {
    const code = `const Log = actor("actor", v.string()); // as p.actor\n`;
    expect(asModule(code, known)).toStartWith(`import * as v from "valibot";\nimport { actor } from "p";\n${code}`);
  });

  test("takes an address for no comment", () => {
    expect(asModule(`f("http://x", actor);`, known)).toStartWith(`import { actor } from "p";`);
  });
});

test("codeBlocks() gives the TypeScript blocks and no others", () => {
  expect(codeBlocks("a\n```ts\none\n```\nb\n```sh\nls\n```\n```ts\ntwo\n```\n")).toEqual(["one\n", "two\n"]);
});

test("typeCheck() names the snippet that is wrong", () => {
  const faults = typeCheck(ROOT, [
    { title: "right", code: `import { memory } from "troupe"; memory("a");` },
    { title: "wrong", code: `import { memory } from "troupe"; memory(1);` },
  ]);
  expect(faults).toHaveLength(1);
  expect(faults[0]).toStartWith("wrong: error TS2345");
});
