import { describe, expect, test } from "bun:test";
import { MAX_JSON_DEPTH, parseJson } from "./json-text.ts";
import { Problem } from "./problem.ts";

const codeOf = (text: string): string => {
  try {
    parseJson(text);
  } catch (error) {
    if (error instanceof Problem) return `${error.status} ${error.code}`;
    throw error;
  }
  return "taken";
};

describe("parseJson()", () => {
  test("takes what JSON.parse takes", () => {
    for (const text of [
      '{"a":[1,-2.5e3,true,null,"x:\\"{[y"],"b":{"a":1}}',
      "[]",
      '"\\u00e9\\ud83d\\ude00"',
      "0",
      " \n1 ",
      '{"a:b":"c:d"}',
    ]) {
      expect(parseJson(text)).toEqual(JSON.parse(text));
    }
  });

  test("refuses malformed texts", () => {
    for (const text of [
      "",
      "{",
      '{"a":}',
      "{'a':1}",
      '{"a":1,}',
      "[1,]",
      "NaN",
      "Infinity",
      "01",
      "1 2",
      '"\t"',
      '"\u0000"',
      "{}}",
      "/*x*/{}",
      "\ufeff{}",
      "{}\ufeff",
      '{"a":1}\0',
      '"\\',
      '{"a',
    ]) {
      expect([text, codeOf(text)]).toEqual([text, "400 json.malformed"]);
    }
  });

  test("takes the greatest depth and refuses one more", () => {
    const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
    expect(codeOf(nested(MAX_JSON_DEPTH))).toBe("taken");
    expect(codeOf(nested(MAX_JSON_DEPTH + 1))).toBe("400 json.too_deep");
    expect(codeOf('{"a":'.repeat(100_000))).toBe("400 json.too_deep");
    expect(codeOf(`"${"[".repeat(1_000)}"`)).toBe("taken");
  });

  test("refuses members named twice, also when one is written with escapes", () => {
    expect(codeOf('{"a":1,"a":1}')).toBe("400 json.duplicate_key");
    expect(codeOf('{"a":1,"\\u0061":2}')).toBe("400 json.duplicate_key");
    expect(codeOf('[{"x":{"b":1,"b":{}}}]')).toBe("400 json.duplicate_key");
    expect(codeOf('[{"b":1},{"b":2}]')).toBe("taken");
  });

  test("refuses NUL, half surrogate pairs and numbers that overflow", () => {
    expect(codeOf('{"a":"x\\u0000y"}')).toBe("400 json.unsafe_text");
    expect(codeOf('{"\\ud800":1}')).toBe("400 json.unsafe_text");
    expect(codeOf('["\\udc00"]')).toBe("400 json.unsafe_text");
    expect(codeOf("[1e309]")).toBe("400 json.number_out_of_range");
    expect(codeOf("[-1e999]")).toBe("400 json.number_out_of_range");
  });

  test("keeps __proto__ an ordinary member and pollutes nothing", () => {
    const value = parseJson('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}') as object;
    expect(Object.hasOwn(value, "__proto__")).toBe(true);
    expect(({} as { polluted?: number }).polluted).toBeUndefined();
  });
});
