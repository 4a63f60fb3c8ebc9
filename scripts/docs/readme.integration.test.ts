import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { testDatabase, testServer } from "#infra/stack/for-tests.ts";
import { PAGES } from "./check.ts";
import { programsOf, runProgram } from "./programs.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(300_000);

const ROOT = resolve(import.meta.dir, "../..");
const programs = PAGES.flatMap((page) =>
  programsOf(readFileSync(join(ROOT, page), "utf8")).map((program) => ({ ...program, page })),
);

test.each(programs.filter(({ needsServers }) => needsServers))(
  "the program $name of $page prints what it says",
  async (program) => {
    await using database = await testDatabase("readme");
    const env = { DATABASE_URL: database.url, NATS_URL: await testServer("nats") };
    expect(program.prints.length).toBeGreaterThan(0);
    expect(await runProgram(ROOT, program, env)).toEqual({ lines: [...program.prints], errors: "", code: 0 });
  },
);
