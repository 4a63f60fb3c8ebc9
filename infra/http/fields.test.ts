import { expect, test } from "bun:test";
import * as v from "valibot";
import { durationUpTo, Time, TimeMs } from "./fields.ts";
import { jsonSchemaOf } from "./json-schema.ts";
import { PageQuery } from "./listing.ts";

test("what durationUpTo() documents it takes, up to the most, and nothing above", () => {
  for (const most of ["7d", "30d"] as const) {
    const schema = durationUpTo(most);
    const { pattern } = jsonSchemaOf(schema, "input") as { pattern: string };
    for (const text of [
      "0ms",
      "9ms",
      "99999999ms",
      "99s",
      "999m",
      "9h",
      "99h",
      "7d",
      "5d",
      "29d",
      "1.5h",
      "31d",
      "8d",
      "",
      "1y",
    ])
      if (new RegExp(pattern).test(text)) expect([most, text, v.is(schema, text)]).toEqual([most, text, true]);
    expect(v.is(schema, most)).toBe(true);
    expect(v.is(schema, "31d")).toBe(false);
    expect(new RegExp(pattern).test("1h")).toBe(true);
  }
});

test("times and pages are documented as they are checked", () => {
  for (const schema of [Time, TimeMs])
    expect(jsonSchemaOf(schema, "input")).toEqual({ type: "string", format: "date-time" });
  expect(v.parse(TimeMs, "2026-11-29T09:00:00+01:00")).toBe(Date.UTC(2026, 10, 29, 8));
  expect(v.is(TimeMs, "2026-02-31T00:00:00Z")).toBe(false);
  const { properties } = jsonSchemaOf(v.object(PageQuery), "input") as { properties: Record<string, object> };
  expect(properties["limit"]).toMatchObject({ type: "integer", minimum: 1, maximum: 200 });
});
