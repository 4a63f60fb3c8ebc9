import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { run, which } from "#infra/stack/command.ts";
import { testDatabase } from "#infra/stack/for-tests.ts";
import { buildPackage, packTarball } from "./build.ts";

setDefaultTimeout(300_000);

const ROOT = resolve(import.meta.dir, "../..");
const node = which("node");

/** What somebody writes who has just installed the package. */
const PROGRAM = `import { actor, createTroupe, memory, RefusedError } from "troupe";
import { FaultyStore } from "troupe/testing";
import * as v from "valibot";

const Counter = actor("counter", {
  state: v.object({ count: v.number() }),
  initial: () => ({ count: 0 }),
  messages: ({ command, query }) => ({
    add: command({ in: v.object({ by: v.number() }), out: v.number() }, (c, { by }) => {
      c.require(by > 0, "not_positive");
      return (c.state.count += by);
    }),
    value: query({ out: v.number() }, (c) => c.state.count),
  }),
});

const url = process.env.COUNTER_STORE;
const store = url === undefined ? new FaultyStore(memory()).store : (await import("troupe/postgres")).postgresStore(url);
const troupe = await createTroupe({ actors: [Counter], stores: { default: store } });
const visits = troupe.ref(Counter, "visits");
const sum: number = await visits.add({ by: 2 }, { id: "first" });
const again: number = await visits.add({ by: 2 }, { id: "first" });
const refusal: unknown = await visits.add({ by: -1 }).catch((error: unknown) => error);
console.log(sum, again, refusal instanceof RefusedError && refusal.reason, await visits.value());
await troupe.stop();
`;
/** Doors to what only Bun has. */
const ONLY_BUN = ["./sqlite"];

const PRINTED = "2 2 not_positive 2\n";

let place = "";
let project = "";
let doors: readonly string[] = [];

beforeAll(async () => {
  place = mkdtempSync(join(tmpdir(), "troupe-install-"));
  project = join(place, "project");
  for (const folder of ["package", "project"]) mkdirSync(join(place, folder));
  const { manifest } = await buildPackage(ROOT, join(place, "package"));
  const tarball = await packTarball(join(place, "package"), place);
  writeFileSync(join(project, "package.json"), JSON.stringify({ name: "empty", private: true, type: "module" }));
  const peers = Object.entries(manifest.peerDependencies).map(([name, range]) => `${name}@${range}`);
  await run(process.execPath, ["add", tarball, ...peers], { cwd: project });
  await run(process.execPath, ["add", "--dev", "@types/node@20"], { cwd: project });
  writeFileSync(join(project, "program.ts"), PROGRAM);
  doors = Object.keys(manifest.exports).filter((door) => door !== "./package.json");
  writeFileSync(
    join(project, "doors.js"),
    `for (const door of process.argv.slice(2)) console.log(door, Object.keys(await import(door)).length > 0);\n`,
  );
  await run(process.execPath, ["build", "program.ts", "--packages=external", "--outfile=program.js"], { cwd: project });
});

afterAll(() => rmSync(place, { recursive: true, force: true }));

/** What the program prints. */
function runProgram(host: string, file: string, env: Record<string, string> = {}): Promise<string> {
  return run(host, [file], { cwd: project, env });
}

test.each(["nodenext", "bundler"])("the installed types fit a strict project that resolves as %s does", async (how) => {
  const compilerOptions = {
    strict: true,
    noEmit: true,
    target: "es2023",
    types: ["node"],
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    moduleResolution: how,
    module: how === "bundler" ? "preserve" : how,
  };
  const config = join(project, `tsconfig.${how}.json`);
  writeFileSync(config, JSON.stringify({ compilerOptions, files: ["program.ts"] }));
  await run(process.execPath, ["--bun", join(ROOT, "node_modules/typescript/bin/tsc"), "-p", config]);
});

test.each([["Bun", process.execPath] as const, ...(node === undefined ? [] : [["Node", node] as const])])(
  "every door of the installed package opens on %s",
  async (name, host) => {
    const names = doors
      .filter((door) => name === "Bun" || !ONLY_BUN.includes(door))
      .map((door) => join("troupe", door));
    const printed = await run(host, ["doors.js", ...names], { cwd: project });
    expect(printed.trim().split("\n")).toEqual(names.map((door) => `${door} true`));
  },
);

test("a program runs on Bun from the installed package, in memory", async () => {
  expect(await runProgram(process.execPath, "program.ts")).toBe(PRINTED);
});

test.skipIf(node === undefined)("a program runs on Node from the installed package, in memory", async () => {
  expect(await runProgram(node ?? "", "program.js")).toBe(PRINTED);
});

test("the same program runs on Postgres, and finds its reply again in the next process", async () => {
  await using database = await testDatabase("packed");
  expect(await runProgram(process.execPath, "program.ts", { COUNTER_STORE: database.url })).toBe(PRINTED);
  const next = { host: node ?? process.execPath, file: node === undefined ? "program.ts" : "program.js" };
  expect(await runProgram(next.host, next.file, { COUNTER_STORE: database.url })).toBe(PRINTED);
});
