import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run, which } from "#infra/stack/command.ts";
import { importsOf } from "../boundaries/imports.ts";
import { hosts } from "./binaries.ts";
import type { Outcome } from "./suite.ts";
import { serveWorker } from "./workerd.ts";

setDefaultTimeout(300_000);

const node = which("node");
let folder = "";

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "troupe-hosts-"));
  const built = await Bun.build({
    entrypoints: ["script.ts", "worker.ts"].map((file) => join(import.meta.dir, file)),
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

function expectAllGood(outcomes: readonly Outcome[]): void {
  expect(outcomes.filter(({ fault }) => fault !== undefined)).toEqual([]);
  expect(outcomes).toHaveLength(56);
}

test("the bundle of the core names no module of any host", async () => {
  const text = await Bun.file(script()).text();
  expect(importsOf("script.mjs", text)).toEqual([]);
});

test("the core does all it must on Bun", async () => {
  expectAllGood(JSON.parse(await run(process.execPath, [script()])) as Outcome[]);
});

test.skipIf(node === undefined)("the core does all it must on Node", async () => {
  expectAllGood(JSON.parse(await run(node ?? "", [script()])) as Outcome[]);
});

test.skipIf(node === undefined)(
  "the door does all it must on Node over real connections, its sockets those of ws",
  async () => {
    const outcomes = JSON.parse(await run(node ?? "", [join(folder, "node-door.mjs")])) as Outcome[];
    expect(outcomes.filter(({ fault }) => fault !== undefined)).toEqual([]);
    expect(outcomes).toHaveLength(47);
  },
);

test("the core does all it must on Deno, without any permission", async () => {
  const { deno } = await hosts();
  const env = { DENO_DIR: join(folder, "deno"), DENO_NO_UPDATE_CHECK: "1", NO_COLOR: "1" };
  expectAllGood(JSON.parse(await run(deno, ["run", "--no-prompt", "--no-remote", script()], { env })) as Outcome[]);
});

test("the core does all it must on workerd, without Node compatibility", async () => {
  const { workerd } = await hosts();
  await using worker = await serveWorker(workerd, join(folder, "worker.mjs"));
  expectAllGood((await (await fetch(worker.url)).json()) as Outcome[]);
});
