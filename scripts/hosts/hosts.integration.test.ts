import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run, which } from "#infra/stack/command.ts";
import { importsOf } from "../boundaries/imports.ts";
import { hosts } from "./binaries.ts";
import type { Outcome } from "./outcomes.ts";
import { serveWorker } from "./workerd.ts";

setDefaultTimeout(300_000);

const node = which("node");
/** As many as there are: a suite that runs none of them finds no fault either. */
const CORE_CHECKS = 9;
const DOOR_CHECKS = 60;
let folder = "";

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "troupe-hosts-"));
  const built = await Bun.build({
    entrypoints: ["script.ts", "worker.ts", "deno-door.ts"].map((file) => join(import.meta.dir, file)),
    target: "browser",
    format: "esm",
    outdir: folder,
    naming: "[name].mjs",
  });
  expect(built.success).toBe(true);
  const onNode = await Bun.build({
    entrypoints: [join(import.meta.dir, "node-door.ts")],
    target: "node",
    format: "esm",
    outdir: folder,
    naming: "[name].mjs",
  });
  expect(onNode.success).toBe(true);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

const script = (): string => join(folder, "script.mjs");

/** The line with the outcomes: hosts may print warnings of their own. */
function outcomesIn(printed: string): readonly Outcome[] {
  const line = printed.split("\n").findLast((text) => text.startsWith("[{"));
  if (line === undefined) throw new Error(`Cannot find any outcomes in ${printed}`);
  return JSON.parse(line) as Outcome[];
}

function expectAllGood(outcomes: readonly Outcome[]): void {
  expect(outcomes.filter(({ fault }) => fault !== undefined)).toEqual([]);
  expect(outcomes).toHaveLength(CORE_CHECKS + DOOR_CHECKS);
}

test("the bundle of the core names no module of any host", async () => {
  const text = await Bun.file(script()).text();
  expect(importsOf("script.mjs", text)).toEqual([]);
});

test("the core does all it must on Bun", async () => {
  expectAllGood(outcomesIn(await run(process.execPath, [script()])));
});

test.skipIf(node === undefined)("the core does all it must on Node", async () => {
  expectAllGood(outcomesIn(await run(node ?? "", [script()])));
});

test.skipIf(node === undefined)(
  "the door does all it must on Node over real connections, its sockets those of ws",
  async () => {
    const outcomes = outcomesIn(await run(node ?? "", [join(folder, "node-door.mjs")]));
    expect(outcomes.filter(({ fault }) => fault !== undefined)).toEqual([]);
    expect(outcomes).toHaveLength(DOOR_CHECKS);
  },
);

test("the core does all it must on Deno, without any permission", async () => {
  const { deno } = await hosts();
  const env = { DENO_DIR: join(folder, "deno"), DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" };
  expectAllGood(outcomesIn(await run(deno, ["run", "--no-prompt", "--no-remote", script()], { env })));
});

test("the door does all it must on Deno over real connections, its sockets its own", async () => {
  const { deno } = await hosts();
  const env = { DENO_DIR: join(folder, "deno"), DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" };
  const door = join(folder, "deno-door.mjs");
  const printed = await run(deno, ["run", "--no-prompt", "--no-remote", "--allow-net=127.0.0.1", door], { env });
  const outcomes = outcomesIn(printed);
  expect(outcomes.filter(({ fault }) => fault !== undefined)).toEqual([]);
  expect(outcomes).toHaveLength(DOOR_CHECKS);
});

test("the core does all it must on workerd, without Node compatibility", async () => {
  const { workerd } = await hosts();
  await using worker = await serveWorker(workerd, join(folder, "worker.mjs"));
  expectAllGood((await (await fetch(worker.url)).json()) as Outcome[]);
});
