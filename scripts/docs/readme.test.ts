import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { PAGES } from "./check.ts";
import { programsOf, runProgram } from "./programs.ts";

setDefaultTimeout(60_000);

const ROOT = resolve(import.meta.dir, "../..");
const programs = PAGES.flatMap((page) =>
  programsOf(readFileSync(join(ROOT, page), "utf8")).map((program) => ({ ...program, page })),
);

test.each(programs.filter(({ needsServers }) => !needsServers))(
  "the program $name of $page prints what it says",
  async (program) => {
    expect(program.prints.length).toBeGreaterThan(0);
    expect(await runProgram(ROOT, program)).toEqual({ lines: [...program.prints], errors: "", code: 0 });
  },
);

test("programsOf() refuses a block that could not be run", () => {
  expect(() => programsOf("```ts\nconst a = 1;\n```\n")).toThrow("Cannot run a block without a name");
});
