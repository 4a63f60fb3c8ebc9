/** The verdicts of the official test suite, draft 2020-12, on schemas that are taken; and which are not taken. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { REFUSALS, REFUSED_DATA } from "./official-suite-refusals.fixture.ts";
import { officialSuite, SUITE_MISSING, type SuiteGroup } from "./official-suite.fixture.ts";
import { SchemaValidator } from "./validator.ts";

// The first run on a machine fetches the suite.
setDefaultTimeout(180_000);

// A busy machine is no reason to refuse.
const here = new SchemaValidator({ withinMs: 60_000 });
const apart = new SchemaValidator({ withinMs: 60_000, stepsHere: 0 });
afterAll(() => {
  here[Symbol.dispose]();
  apart[Symbol.dispose]();
});

if (SUITE_MISSING !== undefined) console.warn(`Without the official test suite of JSON Schema, as ${SUITE_MISSING}`);
let suite: readonly SuiteGroup[] = [];
beforeAll(async () => {
  if (SUITE_MISSING === undefined) suite = await officialSuite();
});

const expected: ReadonlyMap<string, string> = new Map(
  REFUSALS.flatMap(({ message, groups }) =>
    Object.entries(groups).flatMap(([file, names]) =>
      names.map((name): [string, string] => [`${file}: ${name}`, message]),
    ),
  ),
);

test.skipIf(SUITE_MISSING !== undefined)(
  "the schemas that are refused are those of the list, for the reason that stands there",
  async () => {
    expect(suite.length).toBeGreaterThan(400);
    const refused: string[] = [];
    for (const { name, schema } of suite) {
      const compiled = await here.compile(schema);
      if ("check" in compiled) continue;
      refused.push(name);
      expect([name, compiled[0]?.message.startsWith(expected.get(name) ?? "-")]).toEqual([name, true]);
    }
    expect(refused.toSorted()).toEqual([...expected.keys()].toSorted());
  },
);

test.skipIf(SUITE_MISSING !== undefined)(
  "every verdict on the others is that of the suite, but for the list",
  async () => {
    const wrongly: { readonly name: string; readonly accepted: boolean }[] = [];
    let checked = 0;
    for (const { name, schema, tests } of suite) {
      if (expected.has(name)) continue;
      // In the worker, where each check compiles anew, one of each group.
      for (const { validator, some } of [
        { validator: here, some: tests },
        { validator: apart, some: tests.slice(0, 1) },
      ]) {
        const compiled = await validator.compile(schema);
        if (!("check" in compiled)) throw new Error(`It was not taken: ${name}`);
        for (const { description, data, valid } of some) {
          const misfit = await compiled.check(data, JSON.stringify(data));
          checked++;
          if ((misfit === undefined) !== valid) wrongly.push({ name: `${name} > ${description}`, accepted: !valid });
        }
      }
    }
    expect(wrongly.filter(({ accepted }) => accepted)).toEqual([]);
    expect([...new Set(wrongly.map(({ name }) => name))]).toEqual([...REFUSED_DATA]);
    expect(checked).toBeGreaterThan(1_000);
  },
);
