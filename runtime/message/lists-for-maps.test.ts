import { expect, test } from "bun:test";
import * as v from "valibot";
import { InvalidInputError } from "./errors.ts";
import { listsForMaps } from "./lists-for-maps.ts";
import { parseInput } from "./validate.ts";

const Text = v.string();

test("listsForMaps() finds a list at every kind of map, however it is wrapped", () => {
  const kinds: readonly v.GenericSchema[] = [
    v.object({}),
    v.strictObject({}),
    v.looseObject({}),
    v.objectWithRest({}, v.unknown()),
    v.record(Text, v.unknown()),
    v.pipe(v.object({}), v.transform(Object.keys)),
    v.optional(v.object({})),
    v.nullable(v.optional(v.record(Text, v.unknown()), {})),
    v.union([v.object({ a: v.optional(Text) }), v.object({ b: v.optional(Text) })]),
    v.union([Text, v.record(Text, v.unknown())]),
    v.intersect([v.object({ a: v.optional(Text) }), v.object({})]),
    v.lazy(() => v.object({})),
  ];
  for (const [i, schema] of kinds.entries()) {
    expect([i, listsForMaps(schema, [])]).toEqual([i, [[]]]);
    expect([i, listsForMaps(schema, {})]).toEqual([i, []]);
    expect(listsForMaps(v.object({ a: v.array(v.tuple([schema])) }), { a: [[{}], [[]]] })).toEqual([["a", "1", "0"]]);
  }
});

test("listsForMaps() lets lists be where lists are meant, or anything is", () => {
  for (const schema of [
    v.array(v.unknown()),
    v.unknown(),
    v.any(),
    v.union([v.object({}), v.array(Text)]),
    v.union([v.array(Text), v.object({})]),
    v.custom(() => true),
    v.tuple([Text]),
  ])
    expect([schema.type, listsForMaps(schema, ["a"])]).toEqual([schema.type, []]);
  expect(listsForMaps(v.record(Text, v.unknown()), { a: [], b: [[]] })).toEqual([]);
});

test("a message whose input is a list where a map is meant is refused", () => {
  const schema = v.object({ filter: v.optional(v.object({ reason: v.optional(Text) })) });
  for (const [input, path] of [
    [[], ""],
    [{ filter: [] }, "/filter"],
  ] as const) {
    const call = () => parseInput(schema, input, "find", "letters/main");
    expect(call).toThrow(InvalidInputError);
    expect(call).toThrow(expect.objectContaining({ issues: [expect.objectContaining({ path, received: "Array" })] }));
  }
  expect(parseInput(schema, { filter: {} }, "find", "letters/main")).toEqual({ filter: {} });
});
