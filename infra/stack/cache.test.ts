import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { cacheDir, install } from "./cache.ts";
import type { ObtainContext } from "./recipe.ts";
import { temporaryFolder } from "./testing.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

const context: ObtainContext = { doing: () => undefined, waiting: () => undefined, run: () => Promise.resolve("") };
let folder: ReturnType<typeof temporaryFolder>;
const before = process.env["TROUPE_CACHE"];

beforeEach(() => {
  folder = temporaryFolder();
  process.env["TROUPE_CACHE"] = folder.path;
});

afterEach(() => {
  folder[Symbol.dispose]();
  if (before === undefined) delete process.env["TROUPE_CACHE"];
  else process.env["TROUPE_CACHE"] = before;
});

test("cacheDir() takes an empty variable as not set: nothing is ever kept beside where a command runs", () => {
  process.env["TROUPE_CACHE"] = "";
  expect(cacheDir()).toBe(join(homedir(), ".cache", "troupe"));
});

test("install() builds once for callers that ask at the same time", async () => {
  let builds = 0;
  const build = async (target: string): Promise<void> => {
    builds++;
    writeFileSync(join(target, "program"), "x");
  };
  const folders = await Promise.all([1, 2, 3].map(() => install("tool", "1.0", context, build)));
  expect(builds).toBe(1);
  expect(new Set(folders)).toEqual(new Set([join(cacheDir(), "tool-1.0")]));
});

test("install() leaves nothing under the final name when the build fails, and tries again next time", async () => {
  const failing = install("tool", "1.0", context, () => Promise.reject(new Error("no network")));
  await expect(failing).rejects.toThrow("no network");
  expect(existsSync(join(cacheDir(), "tool-1.0"))).toBe(false);
  await install("tool", "1.0", context, async () => undefined);
  expect(existsSync(join(cacheDir(), "tool-1.0"))).toBe(true);
});

test("install() removes what a killed build left", async () => {
  mkdirSync(join(cacheDir(), "tmp", "tool-1.0.4711"), { recursive: true });
  await install("tool", "1.0", context, async () => undefined);
  expect(readdirSync(join(cacheDir(), "tmp"))).toEqual([]);
});
