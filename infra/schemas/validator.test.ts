import { afterAll, expect, setDefaultTimeout, spyOn, test } from "bun:test";
import { RE2JS } from "re2js";
import { measureSchema } from "./limits.ts";
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

async function check(schema: unknown, data: unknown): Promise<unknown> {
  return (await taken(schema)).check(data, JSON.stringify(data));
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

test("data that fits passes, data that does not is told the place and the expectation", async () => {
  expect(await check(ORDER, { id: "ord_1", lines: [{ sku: "TEA" }] })).toBeUndefined();
  expect(await check(ORDER, { id: "ord_1", lines: [{ sku: "TEA" }, { sku: 7 }] })).toEqual({
    path: "/lines/1/sku",
    message: "must be string",
  });
  expect(await check(ORDER, { id: "nope", lines: [{ sku: "TEA" }] })).toMatchObject({ path: "/id" });
  expect(await check(ORDER, { id: "ord_1", lines: [{ sku: "TEA" }], isAdmin: true })).toEqual({
    path: "",
    message: 'must NOT have additional properties ("isAdmin")',
  });
});

test("two patterns in one schema are two patterns", async () => {
  const schema = { properties: { a: { pattern: "^a$" }, b: { pattern: "^b$" } } };
  expect(await check(schema, { a: "a", b: "b" })).toBeUndefined();
  expect(await check(schema, { a: "a", b: "a" })).toMatchObject({ path: "/b" });
});

test("a pattern that takes other engines for ever is answered, and rightly", async () => {
  const schema = { type: "string", not: { pattern: "^(a+)+$" } };
  expect(await check(schema, "a".repeat(5_000))).toMatchObject({ path: "" });
  expect(await check(schema, `${"a".repeat(5_000)}!`)).toBeUndefined();
});

test("schemas beyond the limits are refused within half a second", async () => {
  const deep = (depth: number): object => (depth === 0 ? {} : { items: deep(depth - 1) });
  const wide = { properties: Object.fromEntries(Array.from({ length: 2_000 }, (_, i) => [`p${i}`, {}])) };
  const laughs = Object.fromEntries(
    Array.from({ length: 30 }, (_, i) => [`d${i}`, { allOf: [1, 2].map(() => ({ $ref: `#/$defs/d${i + 1}` })) }]),
  );
  const cases: [unknown, RegExp][] = [
    [deep(40), /nested too deeply/],
    [wide, /too many nodes/],
    [{ description: "x".repeat(70_000) }, /bytes large/],
    [{ $ref: "#/$defs/d0", $defs: { ...laughs, d30: {} } }, /too many references/],
    [{ $ref: "https://example.com/schema" }, /a place in this schema/],
    [{ $ref: "#/$defs/none" }, /nothing at the place/],
    [{ $ref: "#/%zz" }, /nothing at the place/],
    [{ maximum: { $data: "1/a" } }, /not supported/],
    [{ $id: "http://a/" }, /not supported/],
    [{ $schema: "http://json-schema.org/draft-07/schema#" }, /Expected https/],
    [{ pattern: "(?=a)b" }, /not one of RE2/],
    [{ pattern: "(a)\\1" }, /not one of RE2/],
    [{ pattern: "a".repeat(300) }, /limit is 256/],
    [{ patternProperties: { "(?<!a)b": {} } }, /not one of RE2/],
    [{ uniqueItems: true }, /needs a maxItems/],
    [{ type: "strnig" }, /must be/],
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
  const faults = await validator.compile({ properties: { a: { $id: "x" }, "b/c": { pattern: "(?=a)" } } });
  expect("check" in faults ? [] : faults.map(({ path }) => path)).toEqual([
    "/properties/a/$id",
    "/properties/b~1c/pattern",
  ]);
});

test("members may be called as keywords are", async () => {
  const schema = { properties: { $ref: { type: "string" }, $id: { type: "number" }, pattern: { type: "boolean" } } };
  expect(await check(schema, { $ref: "a", $id: 1, pattern: true })).toBeUndefined();
  expect(await check(schema, { $ref: 1 })).toMatchObject({ path: "/$ref" });
});

test("a recursive schema is checked, and one that would take for ever counts as not fitting", async () => {
  const tree = { type: "object", properties: { kids: { type: "array", items: { $ref: "#" } } }, required: ["kids"] };
  expect(await check(tree, { kids: [{ kids: [] }] })).toBeUndefined();
  expect(await check(tree, { kids: [{ kids: [{}] }] })).toMatchObject({ path: "/kids/0/kids/0" });

  const twice = {
    properties: { a: { anyOf: [{ allOf: [{ $ref: "#" }, false] }, { allOf: [{ $ref: "#" }, false] }] } },
  };
  let data: object = {};
  for (let i = 0; i < 60; i++) data = { a: data };
  expect(await check(twice, data)).toEqual({ path: "", message: "cannot be checked within 250 ms" });
  // The worker that was ended is replaced.
  expect(await check(tree, { kids: [] })).toBeUndefined();
});

test("a schema that takes too long to compile is refused, nothing of it runs here, and the next one is taken", async () => {
  const compiled = spyOn(RE2JS, "compile");
  const anyOf = Array.from({ length: 900 }, (_, i) => ({ pattern: `\\p{L}{0,1000}|x${i}` }));
  expect(measureSchema({ anyOf })).toMatchObject({ recursive: false });
  expect(await fault({ anyOf })).toBe("The schema cannot be compiled within 250 ms");
  expect(compiled).not.toHaveBeenCalled();
  compiled.mockRestore();
  expect(await check({ type: "string" }, 1)).toMatchObject({ path: "" });
});

test("a pattern whose work grows with the text times its own length is checked apart, and is never wrongly taken", async () => {
  const long = "a".repeat(400_000);
  for (const pattern of ["(?:a{0,1000})[bc]", "^(?:a?){1000}[bc]$", "(?:(?:a{1,10}){1,10}){1,10}[bc]"]) {
    const schema = { type: "string", pattern };
    const { check: apart } = await taken(schema);
    const verdict = apart(long, JSON.stringify(long));
    expect([pattern, verdict instanceof Promise]).toEqual([pattern, true]);
    expect(await verdict).toMatchObject({ path: "" });
    // Under a `not` the answer is yes: or that it cannot be told, never a wrong one.
    expect(await check({ not: { pattern: "a" } }, long)).toMatchObject({ path: "" });
  }
  // The usual ones are checked at once.
  for (const pattern of ["^[a-z]{1,64}$", "^[0-9a-f]{8}-[0-9a-f]{4}$", "^ord_[a-z0-9]+$"]) {
    const { check: here } = await taken({ type: "string", pattern });
    expect(here("x".repeat(10_000), JSON.stringify("x".repeat(10_000)))).toMatchObject({ path: "" });
  }
});

test("a pattern that only compiling shows to be none is refused", async () => {
  for (const pattern of ["\\p{Klingon}", "a{2000}", "a**", "("])
    expect(await fault({ pattern })).toContain("not one of RE2");
});
