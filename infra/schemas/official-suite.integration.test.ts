/** The verdicts of the official test suite, drafts 7, 2019-09 and 2020-12, on schemas that are taken; and which are not taken. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { LOOSER, REFUSALS, STRICTER } from "./official-suite-refusals.fixture.ts";
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
    expect(suite.length).toBeGreaterThan(1_100);
    const refused = new Set<string>();
    for (const { name, schema } of suite) {
      const compiled = await here.compile(schema);
      if ("check" in compiled) continue;
      refused.add(name);
      expect([name, compiled[0]?.message.startsWith(expected.get(name) ?? "-")]).toEqual([name, true]);
    }
    expect([...refused].sort()).toEqual([...expected.keys()].sort());
  },
);

test.skipIf(SUITE_MISSING !== undefined)(
  "every verdict on the others is that of the suite, but for the lists",
  async () => {
    const wrongly: string[] = [];
    let checked = 0;
    for (const { name, draft, schema, tests } of suite) {
      const compiled = await here.compile(schema);
      if (!("check" in compiled)) continue;
      for (const { description, data, valid } of tests) {
        const fits = (await compiled.check(data)).length === 0;
        const list = fits ? LOOSER : STRICTER;
        checked++;
        if (fits !== valid && !list.some((known) => known.test(`${name} > ${description}`)))
          wrongly.push(`${draft} ${name} > ${description} fits: ${String(fits)}`);
      }
    }
    expect(wrongly).toEqual([]);
    expect(checked).toBeGreaterThan(4_800);
  },
);

test.skipIf(SUITE_MISSING !== undefined)("a check in the worker tells what one here tells", async () => {
  for (const { name, schema, tests } of suite.filter((_, i) => i % 4 === 0)) {
    const [one, other] = [await here.compile(schema), await apart.compile(schema)];
    if (!("check" in one) || !("check" in other)) continue;
    const data = tests[0]?.data;
    expect([name, await other.check(data)]).toEqual([name, await one.check(data)]);
  }
});
