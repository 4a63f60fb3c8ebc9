import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { type BuiltPackage, buildPackage, packTarball } from "./build.ts";
import { packedManifest } from "./manifest.ts";
import { doorSizes } from "./sizes.ts";

setDefaultTimeout(180_000);

const ROOT = resolve(import.meta.dir, "../..");
/** Ways to resolve that a package of ES modules does not serve: older TypeScript, and `require` from CommonJS types. */
const NOT_SERVED = new Set(["node10", "node16-cjs"]);

let place = "";
let folder = "";
let built: BuiltPackage;

beforeAll(async () => {
  place = mkdtempSync(join(tmpdir(), "troupe-pack-"));
  folder = join(place, "package");
  mkdirSync(folder);
  built = await buildPackage(ROOT, folder);
});

afterAll(() => rmSync(place, { recursive: true, force: true }));

describe("the package", () => {
  test("publint finds no fault in it", async () => {
    const { messages, pkg } = await publint({ pkgDir: folder, pack: false, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg as Record<string, unknown>))).toEqual([]);
  });

  test("its types are found and right through every door, for bundlers and for Node", async () => {
    const tarball = await packTarball(folder, place);
    const result = await checkPackage(createPackageFromTarballData(readFileSync(tarball)));
    if (result.types === false) throw new Error("Cannot find any types in the package");
    const problems = result.problems.filter(
      (problem) => !("resolutionKind" in problem && NOT_SERVED.has(problem.resolutionKind)),
    );
    expect(problems).toEqual([]);
    expect(Object.keys(result.entrypoints)).toContain("./postgres");
  });

  test("every door leads to a file with its types, and internal names too", () => {
    const { exports, imports } = built.manifest;
    const targets = [...Object.values(exports), ...Object.values(imports)].flatMap((entry) =>
      typeof entry === "string" ? [entry] : [entry.types, entry.default],
    );
    expect(targets.map((path) => path.slice(2)).filter((path) => !built.files.includes(path))).toEqual([]);
  });

  test("every door says where it runs: on Bun, by import, and on workerd where it needs no host of its own", () => {
    const { exports } = built.manifest;
    const conditions = (door: string): string[] => Object.keys(exports[door] ?? {});
    expect(conditions("./http")).toEqual(["types", "bun", "workerd", "import", "default"]);
    expect(conditions("./durable-object")).toContain("workerd");
    expect(conditions("./postgres")).toEqual(["types", "bun", "import", "default"]);
  });

  test("the client is small, and no door brings in what another one is for", async () => {
    const sizes = new Map((await doorSizes(folder, built.manifest.exports)).map((size) => [size.door, size]));
    expect(sizes.get("./client")?.compressed).toBeLessThan(8_192);
    expect(sizes.get("./react")?.compressed).toBeLessThan(sizes.get("./http")?.compressed ?? 0);
    for (const { minified, compressed } of sizes.values()) expect(compressed).toBeLessThan(minified);
  });

  test("carries the migrations, the examples and the pages, and no tests or sources", () => {
    expect(built.files).toContain("infra/postgres/migrations/0001_create_store.sql");
    expect(built.files).toEqual(
      expect.arrayContaining(["README.md", "DESIGN.md", "LICENSE", "examples/01-counter.ts"]),
    );
    const sources = built.files.filter((path) => /\.test\.|(?<!\.d)\.ts$/u.test(path) && !path.startsWith("examples/"));
    expect(sources).toEqual([]);
  });
});

describe("packedManifest()", () => {
  const source = {
    name: "p",
    version: "1.0.0",
    description: "",
    license: "MIT",
    engines: {},
    exports: { ".": "./runtime/mod.ts" },
    imports: { "#runtime": "./runtime/mod.ts", "#actors/*": "./actors/*" },
    dependencies: { valibot: "1.5.0", postgres: "3.4.9", croner: "11.0.1", elysia: "1.0.0" },
  };

  const imported = (core: readonly string[], adapters: readonly string[]) => ({
    core: new Set(core),
    adapters: new Set(adapters),
  });

  test("depends on what the core imports, but shares valibot, and leaves the clients of adapters to who needs them", () => {
    const manifest = packedManifest(source, imported(["croner", "valibot"], ["postgres", "#runtime", "croner"]));
    expect(manifest).toMatchObject({
      dependencies: { croner: "^11.0.1" },
      exports: { ".": { types: "./runtime/mod.d.ts", default: "./runtime/mod.js" } },
      imports: { "#runtime": { default: "./runtime/mod.js" } },
      peerDependencies: { postgres: "^3.4.9", valibot: "^1.5.0" },
      peerDependenciesMeta: { postgres: { optional: true } },
    });
    expect(packedManifest(source, imported([], [])).imports).toEqual({});
  });

  test("throws for an import that package.json does not name", () => {
    expect(() => packedManifest(source, imported(["left-pad"], []))).toThrow("Cannot pack an import of left-pad");
    expect(() => packedManifest(source, imported([], ["#actors/x.ts"]))).toThrow(
      "Cannot pack an import of #actors/x.ts",
    );
  });
});
