import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { PAGES } from "./check.ts";
import { isRun, programsOf, runProgram } from "./programs.ts";

setDefaultTimeout(60_000);

const ROOT = resolve(import.meta.dir, "../..");
const programs = PAGES.flatMap((page) =>
  programsOf(readFileSync(join(ROOT, page), "utf8")).map((program) => ({ ...program, page })),
);

test.each(programs.filter((program) => isRun(program) && program.prints.length > 0 && !program.needsServers))(
  "the program $name of $page prints what it says",
  async (program) => {
    expect(await runProgram(ROOT, program)).toEqual({ lines: [...program.prints], errors: "", code: 0 });
  },
);

test.each(programs.filter((program) => isRun(program) && program.prints.length === 0 && !program.needsServers))(
  "the test $name of $page passes",
  async (program) => {
    const { errors, code } = await runProgram(ROOT, program);
    expect(`${code} ${errors}`).toMatch(/^0 [^]*\b[1-9]\d* pass\n[^]*\b0 fail\n/u);
  },
);

test("every file of a page is run, or imported by one that is", () => {
  const idle = programs.filter(
    (program) =>
      !isRun(program) &&
      !program.beside.some(({ code }) => code.includes(`"./${program.name}"`) || code.includes(`"${program.name}"`)),
  );
  expect(idle.map(({ page, name }) => `${page}: ${name}`)).toEqual([]);
});

test("programsOf() refuses a block that could not be run", () => {
  expect(() => programsOf("```ts\nconst a = 1;\n```\n")).toThrow("Cannot run a block without a name");
});
