import { expect, test } from "bun:test";
import { patternWeight } from "./pattern-weight.ts";

test("a pattern weighs what it is when its repeats are written out", () => {
  const weights: readonly (readonly [string, number])[] = [
    ["abc", 4],
    ["a{3}", 4],
    ["a{0,1000}b", 1_002],
    ["(?:a{0,1000})[bc]", 1_004],
    ["(ab){10}", 31],
    ["(?:(?:a{1,10}){1,10}){1,10}", 1_221],
    ["[a-z\\]{3}]{5}", 6],
    ["\\p{L}{7}", 8],
    ["^[a-z0-9-]{1,64}$", 2],
    ["^[a-z]{0,50}[a-z]{0,50}$", 103],
    ["^a|b{100}", 104],
  ];
  for (const [pattern, weight] of weights) expect([pattern, patternWeight(pattern)]).toEqual([pattern, weight]);
});
