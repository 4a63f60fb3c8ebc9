import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { cacheDir } from "./cache.ts";
import { type Bringers, type PrebuiltProgram, prebuiltProgram } from "./prebuilt.ts";
import type { ObtainContext } from "./recipe.ts";
import { temporaryFolder } from "./testing.ts";
import { wheelOf } from "./wheel.fixture.ts";
import { unpackZip } from "./zip.ts";

setDefaultTimeout(60_000);

const { wheel, bytes } = wheelOf("echo 1.0");
const build = { name: "tool", version: "0.9", module: "example.org/tool", binary: "tool", about: "long" };
const wanted: PrebuiltProgram = { name: "tool", present: async () => undefined, wheels: [wheel], build };
let folder: ReturnType<typeof temporaryFolder>;
let asked: string[];
let said: string[];
const before = process.env["TROUPE_CACHE"];
const context: ObtainContext = {
  doing: (what) => void said.push(what),
  waiting: () => undefined,
  run: () => Promise.resolve(""),
};
const bring: Bringers = {
  wheel: async (_context, { version }, target) => {
    asked.push(`wheel ${version}`);
    await unpackZip(bytes, target);
  },
  build: async (_context, { version }) => {
    asked.push(`build ${version}`);
    return "/built/tool";
  },
};

beforeEach(() => {
  folder = temporaryFolder();
  asked = [];
  said = [];
  process.env["TROUPE_CACHE"] = folder.path;
});

afterEach(() => {
  folder[Symbol.dispose]();
  if (before === undefined) delete process.env["TROUPE_CACHE"];
  else process.env["TROUPE_CACHE"] = before;
});

/** As an earlier start would have left it. */
function inCache(version: string, program: string): string {
  const path = join(cacheDir(), `tool-${version}`, program);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, "#!/bin/sh\n");
  chmodSync(path, 0o755);
  return path;
}

test("the program on the PATH is taken before anything is looked for", async () => {
  inCache("1.0", wheel.program);
  expect(await prebuiltProgram(context, { ...wanted, present: async () => "/usr/bin/tool" }, bring)).toBe(
    "/usr/bin/tool",
  );
  expect(asked).toEqual([]);
});

test("the cache comes before a download, and a wheel in it before a build", async () => {
  const built = inCache("0.9", "tool");
  expect(await prebuiltProgram(context, wanted, bring)).toBe(built);
  const unpacked = inCache("1.0", wheel.program);
  expect(await prebuiltProgram(context, wanted, bring)).toBe(unpacked);
  expect(asked).toEqual([]);
});

test("a wheel is downloaded once, for two that start at once and for the next start", async () => {
  const expected = join(folder.path, "tool-1.0", wheel.program);
  expect(await Promise.all([1, 2].map(() => prebuiltProgram(context, wanted, bring)))).toEqual([expected, expected]);
  expect(await prebuiltProgram(context, wanted, bring)).toBe(expected);
  expect(asked).toEqual(["wheel 1.0"]);
});

test("a wheel that is refused makes room for the older one, and then for the build, each said with its reason", async () => {
  const older = { ...wheel, version: "0.8" };
  const refusing: Bringers = {
    ...bring,
    wheel: async (_context, { version }) => {
      asked.push(`wheel ${version}`);
      throw new Error(`refused ${version}`);
    },
  };
  expect(await prebuiltProgram(context, { ...wanted, wheels: [wheel, older] }, refusing)).toBe("/built/tool");
  expect(asked).toEqual(["wheel 1.0", "wheel 0.8", "build 0.9"]);
  expect(said.join("\n")).toContain("refused 1.0");
});

test("a wheel whose program does not run here is not kept", async () => {
  const broken = wheelOf("exit 1");
  const trying: Bringers = {
    ...bring,
    wheel: async (_context, _wheel, target) => void (await unpackZip(broken.bytes, target)),
  };
  expect(await prebuiltProgram(context, { ...wanted, wheels: [broken.wheel] }, trying)).toBe("/built/tool");
  expect(said.join("\n")).toContain("does not run here");
  expect(await prebuiltProgram(context, wanted, bring)).toBe(join(folder.path, "tool-1.0", wheel.program));
});

test("when nothing brings it, every reason is named and one command that would", async () => {
  const failing: Bringers = {
    wheel: () => Promise.reject(new Error("no network")),
    build: () => Promise.reject(new Error("no Go")),
  };
  const outcome = prebuiltProgram(context, wanted, failing);
  await expect(outcome).rejects.toThrow("tool cannot be had: tool-bin 1.0: no network; no Go");
  await expect(outcome).rejects.toMatchObject({ fix: "python3 -m pip install tool-bin==1.0" });
});
