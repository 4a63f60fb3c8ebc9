import { expect, test } from "bun:test";
import { plainJson } from "./exact-json.ts";

test("plainJson() of a number is its JSON to the character, and none of what JSON has no number for", () => {
  for (const number of [0, -0, 1, -1.5, 1e21, 1e-7, 0.1 + 0.2, Number.MAX_SAFE_INTEGER, Number.MIN_VALUE, 5e-324])
    expect(plainJson(number)).toBe(JSON.stringify(number));
  for (const none of [Number.NaN, Infinity, -Infinity]) expect(plainJson(none)).toBeUndefined();
});
