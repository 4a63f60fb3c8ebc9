import { afterAll, expect, setDefaultTimeout, spyOn, test } from "bun:test";
import { RE2JS } from "re2js";
import { parseExact } from "#infra/json/exact.ts";
import type { Misfit } from "./misfit.ts";
import { type CompiledSchema, SchemaValidator } from "./validator.ts";

// The worker loads on its first job.
setDefaultTimeout(60_000);

const validator = new SchemaValidator();
afterAll(() => validator[Symbol.dispose]());

async function taken(schema: unknown): Promise<CompiledSchema> {
  const compiled = await validator.compile(schema);
  if (!("check" in compiled)) throw new Error(`It was not taken: ${JSON.stringify(compiled)}`);
  return compiled;
}

/** Every misfit of some data. */
async function check(schema: unknown, data: unknown): Promise<readonly Misfit[]> {
  return await (await taken(schema)).check(data);
}

/** Paths of the misfits; of JSON texts. */
async function paths(schema: string, data: string): Promise<string[]> {
  return (await check(parseExact(schema), parseExact(data))).map(({ path }) => path);
}

/** A refusal's first message, or `undefined`. */
async function fault(schema: unknown): Promise<string | undefined> {
  const compiled = await validator.compile(schema);
  return "check" in compiled ? undefined : (compiled[0]?.message ?? "");
}

const ORDER = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  type: "object",
  required: ["id", "lines"],
  additionalProperties: false,
  properties: {
    id: { type: "string", pattern: "^ord_[a-z0-9]+$" },
    lines: { type: "array", minItems: 1, items: { $ref: "#/$defs/line" } },
  },
  $defs: { line: { type: "object", required: ["sku"], properties: { sku: { type: "string" } } } },
};

test("data that fits passes, data that does not is told every place, with what is expected and what came", async () => {
  expect(await check(ORDER, { id: "ord_1", lines: [{ sku: "TEA" }] })).toEqual([]);
  expect(await check(ORDER, { id: "nope", lines: [{ sku: "TEA" }, { sku: 7 }, {}], isAdmin: true })).toEqual([
    { path: "/isAdmin", message: "is not a known member", expected: "no such member", received: "true" },
    {
      path: "/id",
      message: "must be a text that matches ^ord_[a-z0-9]+$",
      expected: "a text that matches ^ord_[a-z0-9]+$",
      received: '"nope"',
    },
    { path: "/lines/1/sku", message: "must be string", expected: "string", received: "7" },
    { path: "/lines/2", message: 'must have the member "sku"', expected: 'the member "sku"', received: "an object" },
  ]);
});

test("no more than 20 places are told", async () => {
  const data = Array.from({ length: 1_000 }, () => 1);
  expect((await check({ items: { type: "string" } }, data)).length).toBe(20);
  const alternatives = { items: { anyOf: [{ type: "string" }, { type: "object" }] } };
  expect((await check(alternatives, data)).length).toBe(20);
});

test("of alternatives the misfits of the one that was meant are told", async () => {
  const schema = { anyOf: [{ type: "null" }, { type: "object", properties: { a: { type: "string" } } }] };
  expect(await check(schema, { a: 1 })).toMatchObject([{ path: "/a", expected: "string" }]);
  expect(await check(schema, 1)).toMatchObject([{ path: "", expected: "one of 2 schemas" }]);
});

test("bounds, values and multiples compare numbers as their texts say", async () => {
  const schema = '{"maximum": 9007199254740992}';
  expect(await paths(schema, "9007199254740992")).toEqual([]);
  expect(await paths(schema, "9007199254740993")).toEqual([""]);
  expect(await paths('{"exclusiveMaximum": 9007199254740993}', "9007199254740992")).toEqual([]);
  expect(await paths('{"const": 9007199254740993}', "9007199254740992")).toEqual([""]);
  expect(await paths('{"enum": [9007199254740993]}', "9007199254740993.0")).toEqual([]);
  expect(await paths('{"multipleOf": 2}', "9007199254740993")).toEqual([""]);
  expect(await paths('{"uniqueItems": true}', "[9007199254740993, 9007199254740992]")).toEqual([]);
  expect(await paths('{"uniqueItems": true}', "[1, 1.0]")).toEqual([""]);
  expect(await paths('{"type": "integer", "minimum": 0}', "1e400")).toEqual([]);
  expect(await paths('{"format": "int64"}', "9223372036854775807")).toEqual([]);
  expect(await paths('{"format": "int64"}', "9223372036854775808")).toEqual([""]);
});

test("formats are checked, and one that cannot be is refused", async () => {
  const fits = async (format: string, text: string) => (await check({ format }, text)).length === 0;
  for (const [format, good, bad] of [
    ["date-time", "2026-01-31t12:00:00.5z", "2026-02-30T12:00:00Z"],
    ["time", "23:59:60Z", "12:00:60Z"],
    ["email", "a@example.com", "a@"],
    ["uri", "https://example.com/a", "a b"],
    ["ipv4", "192.0.2.1", "256.1.1.1"],
    ["uuid", "2eb8aa08-aa98-11ea-b4aa-73b441d16380", "2eb8aa08"],
    ["idn-hostname", "실례.example", "-a.example"],
  ] as const)
    expect([format, await fits(format, good), await fits(format, bad)]).toEqual([format, true, false]);
  expect(await fault({ format: "creditcard" })).toBe("is a format that cannot be checked here");
});

test("keywords that no draft has are refused, whatever a validator would make of them", async () => {
  for (const schema of [
    { $async: true },
    { type: "string", nullable: true },
    { discriminator: { propertyName: "a" }, oneOf: [{}] },
    { maximum: { $data: "1/a" } },
    { $vocabulary: {} },
    { id: "a" },
    { instanceof: "Date" },
    { errorMessage: "a" },
    { properties: { a: { typeof: "function" } } },
    { "x-anything": 1 },
    { $schema: "http://json-schema.org/draft-04/schema#" },
    { $schema: "http://json-schema.org/draft-07/schema#", unevaluatedItems: false },
  ])
    expect([schema, await fault(schema)]).toEqual([schema, expect.any(String)]);
});

test("schemas of drafts 7 and 2019-09 mean what their drafts say", async () => {
  const old = { $schema: "http://json-schema.org/draft-07/schema#" };
  expect(await check({ ...old, items: [{ type: "string" }], additionalItems: false }, ["a", 1])).toMatchObject([
    { path: "/1" },
  ]);
  // Beside a reference nothing counts.
  const beside = {
    ...old,
    definitions: { a: { type: "string" } },
    properties: { b: { $ref: "#/definitions/a", minLength: 5 } },
  };
  expect(await check(beside, { b: "a" })).toEqual([]);
  const tree = {
    $schema: "https://json-schema.org/draft/2019-09/schema",
    $id: "https://example.com/tree",
    $recursiveAnchor: true,
    properties: { kids: { items: { $recursiveRef: "#" } }, name: { type: "string" } },
  };
  expect(await check(tree, { kids: [{ name: 1 }] })).toMatchObject([{ path: "/kids/0/name" }]);
});

test("references lead through $id, $anchor and $dynamicAnchor, within the schema alone", async () => {
  const schema = {
    $id: "https://example.com/order",
    properties: { a: { $ref: "line" }, b: { $ref: "#text" }, c: { $dynamicRef: "#node" } },
    $defs: {
      line: { $id: "line", type: "number" },
      text: { $anchor: "text", type: "string" },
      node: { $dynamicAnchor: "node", type: "boolean" },
    },
  };
  expect(await check(schema, { a: 1, b: "a", c: true })).toEqual([]);
  expect((await check(schema, { a: "a", b: 1, c: 1 })).map(({ path }) => path)).toEqual(["/a", "/b", "/c"]);
});

test("two patterns in one schema are two patterns", async () => {
  const schema = { properties: { a: { pattern: "^a$" }, b: { pattern: "^b$" } } };
  expect(await check(schema, { a: "a", b: "b" })).toEqual([]);
  expect(await check(schema, { a: "a", b: "a" })).toMatchObject([{ path: "/b" }]);
});

test("a pattern that takes other engines for ever is answered, and rightly", async () => {
  const schema = { type: "string", not: { pattern: "^(a+)+$" } };
  expect(await check(schema, "a".repeat(5_000))).toMatchObject([{ path: "" }]);
  expect(await check(schema, `${"a".repeat(5_000)}!`)).toEqual([]);
});

test("schemas beyond the limits are refused within half a second", async () => {
  const deep = (depth: number): object => (depth === 0 ? {} : { items: deep(depth - 1) });
  const wide = { properties: Object.fromEntries(Array.from({ length: 2_000 }, (_, i) => [`p${i}`, {}])) };
  const cases: [unknown, RegExp][] = [
    [deep(40), /nested too deeply/],
    [wide, /too many nodes/],
    [{ description: "x".repeat(70_000) }, /too large/],
    [{ $ref: "https://example.com/schema" }, /no schema in this one/],
    [{ $ref: "#/$defs/none" }, /no schema in this one/],
    [{ $ref: "#/%zz" }, /no schema in this one/],
    [{ $ref: "#/const", const: {} }, /no schema in this one/],
    [{ $ref: "#" }, /without end/],
    [{ allOf: [{ $ref: "#/$defs/a" }], $defs: { a: { not: { $ref: "#" } } } }, /without end/],
    [{ $id: "#a" }, /without a fragment/],
    [{ $defs: { a: { $id: "a" }, b: { $id: "a" } } }, /already/],
    [{ $defs: { a: { $anchor: "a" }, b: { $anchor: "a" } } }, /already/],
    [{ $schema: "http://json-schema.org/draft-04/schema#" }, /not a draft/],
    [{ properties: { a: { $schema: "https://json-schema.org/draft/2020-12/schema" } } }, /at the top/],
    [{ pattern: "(?=a)b" }, /not one of RE2/],
    [{ pattern: "(a)\\1" }, /not one of RE2/],
    [{ pattern: "a".repeat(300) }, /limit is 256/],
    [{ patternProperties: { "(?<!a)b": {} } }, /not one of RE2/],
    [{ type: "strnig" }, /must be/],
    [{ required: ["a", "a"] }, /must be/],
    [{ minLength: -1 }, /must be/],
    [{ multipleOf: 0 }, /must be/],
    [{ properties: [] }, /must be/],
    [{ allOf: [] }, /must be/],
    [{ propertys: {} }, /unknown keyword/],
    ["string", /an object or a boolean/],
    [null, /an object or a boolean/],
    [[], /an object or a boolean/],
  ];
  for (const [schema, message] of cases) {
    const startedAt = performance.now();
    expect(await fault(schema)).toMatch(message);
    expect(performance.now() - startedAt < 5_000).toBe(true);
  }
});

test("every fault is told at once, with its place", async () => {
  const faults = await validator.compile({ properties: { a: { nullable: true }, "b/c": { minLength: "1" } } });
  expect("check" in faults ? [] : faults).toEqual([
    {
      path: "/properties/a/nullable",
      message: "is an unknown keyword",
      expected: "a keyword of JSON Schema 2020-12",
      received: '"nullable"',
    },
    {
      path: "/properties/b~1c/minLength",
      message: "minLength must be a whole number from 0",
      expected: "a whole number from 0",
      received: '"1"',
    },
  ]);
  const patterns = await validator.compile({ properties: { a: { pattern: "(?=a)" }, b: { pattern: "(" } } });
  expect("check" in patterns ? [] : patterns.map(({ path }) => path)).toEqual([
    "/properties/a/pattern",
    "/properties/b/pattern",
  ]);
});

test("members may be called as keywords are, or as what every object has", async () => {
  const schema =
    '{"properties": {"$ref": {"type": "string"}, "__proto__": {"type": "number"}, "toString": {"type": "null"}}}';
  expect(await paths(schema, '{"$ref": "a", "__proto__": 1, "toString": null}')).toEqual([]);
  expect(await paths(schema, '{"$ref": 1, "__proto__": "a"}')).toEqual(["/$ref", "/__proto__"]);
  expect(await paths('{"required": ["constructor"], "additionalProperties": false}', '{"__proto__": 1}')).toEqual([
    "",
    "/__proto__",
  ]);
});

test("a recursive schema is checked, and one that would take for ever counts as not fitting", async () => {
  const tree = { type: "object", properties: { kids: { type: "array", items: { $ref: "#" } } }, required: ["kids"] };
  expect(await check(tree, { kids: [{ kids: [] }] })).toEqual([]);
  expect(await check(tree, { kids: [{ kids: [{}] }] })).toMatchObject([{ path: "/kids/0/kids/0" }]);

  const twice = {
    properties: { a: { anyOf: [{ allOf: [{ $ref: "#" }, false] }, { allOf: [{ $ref: "#" }, false] }] } },
  };
  let data: object = {};
  for (let i = 0; i < 60; i++) data = { a: data };
  expect(await check(twice, data)).toMatchObject([{ path: "", message: "cannot be checked within 250 ms" }]);
  // The worker that was ended is replaced.
  expect(await check(tree, { kids: [] })).toEqual([]);
});

test("references that double at each step are checked within their bound", async () => {
  const laughs = Object.fromEntries(
    Array.from({ length: 30 }, (_, i) => [`d${i}`, { allOf: [1, 2].map(() => ({ $ref: `#/$defs/d${i + 1}` })) }]),
  );
  const verdict = check({ $ref: "#/$defs/d0", $defs: { ...laughs, d30: {} } }, 1);
  expect(await verdict).toMatchObject([{ message: "cannot be checked within 250 ms" }]);
});

test("a schema that takes too long to compile is refused, nothing of it runs here, and the next one is taken", async () => {
  const compiled = spyOn(RE2JS, "compile");
  const anyOf = Array.from({ length: 900 }, (_, i) => ({ pattern: `\\p{L}{0,1000}|x${i}` }));
  expect(await fault({ anyOf })).toBe("The schema cannot be compiled within 250 ms");
  expect(compiled).not.toHaveBeenCalled();
  compiled.mockRestore();
  expect(await check({ type: "string" }, 1)).toMatchObject([{ path: "" }]);
});

test("a pattern whose work grows with the text times its own length is checked apart, and is never wrongly taken", async () => {
  const long = "a".repeat(400_000);
  for (const pattern of ["(?:a{0,1000})[bc]", "^(?:a?){1000}[bc]$", "(?:(?:a{1,10}){1,10}){1,10}[bc]"]) {
    const schema = { type: "string", pattern };
    const verdict = (await taken(schema)).check(long);
    expect([pattern, verdict instanceof Promise]).toEqual([pattern, true]);
    expect(await verdict).toMatchObject([{ path: "" }]);
    // Under a `not` the answer is yes: or that it cannot be told, never a wrong one.
    expect(await check({ not: { pattern: "a" } }, long)).toMatchObject([{ path: "" }]);
  }
  // The usual ones are checked at once.
  for (const pattern of ["^[a-z]{1,64}$", "^[0-9a-f]{8}-[0-9a-f]{4}$", "^ord_[a-z0-9]+$"])
    expect((await taken({ type: "string", pattern })).check("x".repeat(10_000))).toMatchObject([{ path: "" }]);
});

test("a pattern that only compiling shows to be none is refused", async () => {
  for (const pattern of ["\\p{Klingon}", "a{2000}", "a**", "("])
    expect(await fault({ pattern })).toContain("not one of RE2");
});
