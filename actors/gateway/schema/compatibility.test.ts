import { expect, test } from "bun:test";
import { parseExact } from "#infra/json/exact.ts";
import { differences } from "./compatibility.ts";
import type { JsonSchema } from "./messages.ts";

const object = (properties: object, more: object = {}): JsonSchema => ({ type: "object", properties, ...more });
const text = { type: "string" };

const COMPATIBLE: readonly (readonly [string, JsonSchema, JsonSchema])[] = [
  ["the same schema", object({ a: text }), object({ a: text })],
  ["another description", { type: "string", title: "x" }, { type: "string", description: "y" }],
  ["an optional property more", object({ a: text }), object({ a: text, b: text })],
  ["a property that is required no more", object({ a: text }, { required: ["a"] }), object({ a: text })],
  ["another type beside", { type: "string" }, { type: ["string", "null"] }],
  ["numbers for integers", { type: "integer" }, { type: "number" }],
  ["a value more", { enum: ["a"] }, { enum: ["a", "b"] }],
  ["a looser bound", { type: "string", maxLength: 5 }, { type: "string", maxLength: 9 }],
  ["a bound less", { type: "number", minimum: 1 }, { type: "number" }],
  ["open objects", object({}, { additionalProperties: false }), object({})],
  ["anything at all", object({ a: text }), true],
  ["no pattern", { type: "string", pattern: "^a" }, { type: "string" }],
];
test.each(COMPATIBLE)("a schema still takes everything: %s", (_, before, next) => {
  expect(differences(before, next)).toEqual([]);
});

const INCOMPATIBLE: readonly (readonly [string, JsonSchema, JsonSchema, readonly string[]])[] = [
  ["a property required", object({ a: text }), object({ a: text }, { required: ["a"] }), ["/required"]],
  ["another type", object({ a: text }), object({ a: { type: "number" } }), ["/properties/a/type"]],
  ["integers for numbers", { type: "number" }, { type: "integer" }, ["/type"]],
  ["a type where there was none", {}, text, ["/type"]],
  ["a value less", { enum: ["a", "b"] }, { enum: ["a"] }, ["/enum"]],
  ["one value for many", { enum: ["a", "b"] }, { const: "a" }, ["/const"]],
  ["a tighter bound", { maxLength: 9 }, { maxLength: 5 }, ["/maxLength"]],
  ["a new bound", {}, { minItems: 1 }, ["/minItems"]],
  [
    "closed objects",
    object({ a: text }),
    object({ a: text }, { additionalProperties: false }),
    ["/additionalProperties"],
  ],
  [
    "a property that is known no more",
    object({ a: text, b: text }, { additionalProperties: false }),
    object({ a: text }, { additionalProperties: false }),
    ["/additionalProperties"],
  ],
  ["a new pattern", text, { type: "string", pattern: "^a" }, ["/pattern"]],
  ["nothing at all", true, false, [""]],
  ["items", { items: text }, { items: { type: "number" } }, ["/items/type"]],
  ["items that were not checked", {}, { items: text }, ["/items"]],
  ["what cannot be compared", { anyOf: [text] }, { anyOf: [{ type: "number" }] }, ["/anyOf"]],
  ["a branch less of an if", { if: text, then: false, else: true }, { if: text, else: true }, ["/then"]],
  ["a format that was not checked", text, { type: "string", format: "uuid" }, ["/format"]],
  ["another draft", text, { ...text, $schema: "http://json-schema.org/draft-07/schema#" }, ["/$schema"]],
  ["a list of items", { items: [text] }, { items: [{ type: "number" }] }, ["/items"]],
  ["a reference less", { $ref: "#/$defs/a", minLength: 1 }, { minLength: 1 }, ["/$ref"]],
  [
    "a bound that only its last digit makes tighter",
    parseExact('{"maximum": 9007199254740993}') as JsonSchema,
    { maximum: 9007199254740992 },
    ["/maximum"],
  ],
  ["a name with a slash", object({ "a/b": text }), object({ "a/b": { type: "null" } }), ["/properties/a~1b/type"]],
];
test.each(INCOMPATIBLE)("a difference is named by its place: %s", (_, before, next, paths) => {
  expect(differences(before, next).map(({ path }) => path)).toEqual([...paths]);
});
