import { expect, test } from "bun:test";
import * as v from "valibot";
import { parseExact } from "#infra/json/exact.ts";
import { Problem } from "./problem.ts";
import { check } from "./validate.ts";

const Order = v.strictObject({
  customer: v.string(),
  lines: v.array(
    v.strictObject({
      sku: v.pipe(v.string(), v.maxLength(3)),
      quantity: v.pipe(v.number(), v.integer(), v.minValue(1)),
    }),
  ),
});

function issuesOf(value: unknown, prefix?: string): readonly { path: string; expected?: string; received?: string }[] {
  try {
    check(Order, value, prefix);
  } catch (error) {
    if (error instanceof Problem) return error.issues ?? [];
    throw error;
  }
  return [];
}

test("check() returns the value with its defaults", () => {
  expect(check(v.object({ a: v.optional(v.number(), 1) }), {})).toEqual({ a: 1 });
});

test("check() names every place at once, as JSON pointers", () => {
  const issues = issuesOf({
    lines: [
      { sku: "long sku", quantity: 0 },
      { quantity: "2", "a/b~c": 1 },
    ],
  });
  expect(issues.map(({ path }) => path).toSorted()).toEqual([
    "/customer",
    "/lines/0/quantity",
    "/lines/0/sku",
    "/lines/1/a~1b~0c",
    "/lines/1/quantity",
    "/lines/1/sku",
  ]);
  for (const { expected, received } of issues) expect([typeof expected, typeof received]).toEqual(["string", "string"]);
});

test("check() names every unknown member, also the ones named like parts of an object", () => {
  const value: unknown = JSON.parse(
    '{"customer":"c","lines":[{"sku":"a","quantity":1,"x":1,"y":2}],"isAdmin":true,"__proto__":{"p":1},"constructor":{},"toString":1}',
  );
  expect(
    issuesOf(value)
      .map(({ path }) => path)
      .toSorted(),
  ).toEqual(["/__proto__", "/constructor", "/isAdmin", "/lines/0/x", "/lines/0/y", "/toString"]);
  expect(({} as { p?: number }).p).toBeUndefined();
});

test("check() leaves the value as it was, and does not name more than fifty unknown members", () => {
  const value = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`k${i}`, i]));
  expect(issuesOf(value).length).toBeLessThanOrEqual(55);
  expect(Object.keys(value).length).toBe(500);
});

test("check() shows no more than a bit of a long value", () => {
  const [issue] = issuesOf({ customer: "c", lines: "x".repeat(10_000) });
  expect(issue?.received?.length).toBeLessThan(120);
});

test("check() puts a prefix before the path", () => {
  expect(issuesOf({ lines: [] }, "query").map(({ path }) => path)).toEqual(["query/customer"]);
});

test("check() is done with a huge value that fits nowhere, and names what it has found by then", () => {
  const zeros = Array.from({ length: 200_000 }, () => 0);
  expect(issuesOf(zeros).length).toBeGreaterThan(0);
  const many = Object.fromEntries(zeros.map((_, i) => [`m${i}`, i]));
  expect(issuesOf(many).map(({ path }) => path)).toContain("/m0");
  const lines = Array.from({ length: 60_000 }, () => ({ sku: "a", quantity: 1, x: 1 }));
  expect(issuesOf({ customer: "a", lines }).length).toBe(60_000);
});

const Filter = v.strictObject({
  reason: v.optional(v.string()),
  where: v.optional(v.record(v.string(), v.unknown())),
});

test("check() refuses a list for a map with its place, however empty the list is", () => {
  for (const [schema, value, path] of [
    [Filter, [], ""],
    [v.strictObject({ filter: Filter }), { filter: [] }, "/filter"],
    [v.strictObject({ filter: Filter }), { filter: { where: ["a"] } }, "/filter/where"],
    [v.array(Filter), [{}, []], "/1"],
  ] as const)
    expect(() => check(schema, value)).toThrow(
      expect.objectContaining({
        status: 422,
        issues: [{ path, message: "is a list where a map is meant", expected: "Object", received: "Array" }],
      }),
    );
  expect(() => check(v.strictObject({ a: Filter, b: v.number() }), { a: [], b: "x" })).toThrow(
    expect.objectContaining({
      issues: [
        expect.objectContaining({ path: "/b" }),
        expect.objectContaining({ path: "/a", message: "is a list where a map is meant" }),
      ],
    }),
  );
});

test("check() names unknown members beside numbers that are kept as their texts", () => {
  const value = parseExact('{"a":1e400,"b":[9007199254740993],"c":{"d":1.0}}');
  expect(() => check(v.strictObject({}), value)).toThrow(
    expect.objectContaining({ issues: ["/a", "/b", "/c"].map((path) => expect.objectContaining({ path })) }),
  );
});
