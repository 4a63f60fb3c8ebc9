import { expect, test } from "bun:test";
import { copyJson } from "./copy.ts";

test("copyJson() gives a value of its own, equal in depth, with nothing shared", () => {
  const value = JSON.parse('{"n":1,"list":[{"a":[1,null]},"x"],"map":{"k":{"deep":true}},"no":null}');
  const copy = copyJson(value) as typeof value;
  expect(copy).toEqual(value);
  expect(JSON.stringify(copy)).toBe(JSON.stringify(value));
  copy.list[0].a.push(2);
  copy.map.k.deep = false;

  expect(value.list[0].a).toEqual([1, null]);
  expect(value.map.k.deep).toBe(true);
  for (const plain of [null, 0, "", false, [], {}]) expect(copyJson(plain)).toEqual(plain);
});

test("copyJson() gives nothing where a value is not as JSON has it", () => {
  for (const odd of [
    new Date(0),
    { at: new Date(0) },
    [new Map()],
    { list: [new (class Thing {})()] },
    JSON.parse('{"__proto__":1}'),
  ]) {
    expect(copyJson(odd)).toBeUndefined();
  }
});
