import { expect, test } from "bun:test";
import { arrayLiteral } from "./array-literal.ts";

test("numbers and nulls stand bare, texts are quoted", () => {
  expect(arrayLiteral([1, null, "a", 'say "x"', "back\\slash"])).toBe('{1,null,"a","say \\"x\\"","back\\\\slash"}');
});

test("an empty list is an empty array", () => {
  expect(arrayLiteral([])).toBe("{}");
});

test("control characters are kept as they are, not as JSON escapes", () => {
  expect(arrayLiteral(["a\nb"])).toBe('{"a\nb"}');
});
