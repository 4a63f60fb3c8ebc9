import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { testDatabase, testServer } from "#infra/stack/for-tests.ts";
import { PAGES } from "./check.ts";
import { isRun, programsOf, runProgram } from "./programs.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(300_000);

/** Temporal's SDK says so of every host but Node. */
const TEMPORAL_NOTE = /^v8\.promiseHooks\.createHook is not available.*\n/mu;
const ROOT = resolve(import.meta.dir, "../..");
const programs = PAGES.flatMap((page) =>
  programsOf(readFileSync(join(ROOT, page), "utf8")).map((program) => ({ ...program, page })),
);

test.each(programs.filter((program) => isRun(program) && program.needsServers))(
  "the program $name of $page prints what it says",
  async (program) => {
    await using database = await testDatabase("readme");
    const env = {
      DATABASE_URL: database.url,
      NATS_URL: await testServer("nats"),
      ...(program.code.includes("TEMPORAL_ADDRESS") && { TEMPORAL_ADDRESS: await testServer("temporal") }),
    };
    const { errors, ...outcome } = await runProgram(ROOT, program, env);
    expect({ ...outcome, errors: errors.replace(TEMPORAL_NOTE, "") }).toEqual({
      lines: [...program.prints],
      errors: "",
      code: 0,
    });
  },
);
