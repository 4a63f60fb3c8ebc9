import { expect, test } from "bun:test";
import {
  canonicalJson,
  compareNumbers,
  equalJson,
  isMultipleOf,
  isWhole,
  type JsonNumber,
  parseExact,
} from "./exact.ts";

const n = (text: string): JsonNumber => parseExact(text) as JsonNumber;

test("what was parsed is written as it came, whatever its numbers are", () => {
  for (const text of [
    ...["9007199254740993", "-9223372036854775808", "18446744073709551615", "1e400", "1E-400", "1.0", "-0", "0.10"],
    ...["0.1", "-1.5", "12345678901234567890.123456789", "1e2", "true", "null", '"9007199254740993"'],
    '{"a":[9007199254740993,{"b":-0.0}],"c":1e2,"__proto__":{"d":9007199254740993}}',
    '[1,2,"a: 1e5, -0",{}]',
  ])
    expect(JSON.stringify(parseExact(text))).toBe(text);
});

test("what is no JSON is refused, also beside a number that is kept", () => {
  for (const text of ["", "01", "1e", "-", "[9007199254740993", "9007199254740993 x", ".5000000000000000000"])
    expect(() => parseExact(text)).toThrow(SyntaxError);
});

test("numbers compare as their texts say", () => {
  const inOrder = [
    ...["-1e400", "-9007199254740993", "-9007199254740992", "-1", "-1e-400", "0", "1e-400", "0.1"],
    ...["0.10000000000000000001", "1", "9007199254740992", "9007199254740993", "1e400", "10e400"],
  ];
  for (const [i, a] of inOrder.entries())
    for (const [j, b] of inOrder.entries())
      expect([a, b, Math.sign(compareNumbers(n(a), n(b)))]).toEqual([a, b, Math.sign(i - j)]);
  for (const [a, b] of [
    ["1", "1.0"],
    ["100", "1e2"],
    ["0", "-0"],
    ["0.5", "5e-1"],
    ["1e400", "10e399"],
  ] as const) {
    expect(compareNumbers(n(a), n(b))).toBe(0);
    expect(equalJson(parseExact(`{"a":[${a}],"b":1}`), parseExact(`{"b":1,"a":[${b}]}`))).toBe(true);
  }
  expect(equalJson(n("9007199254740993"), n("9007199254740992"))).toBe(false);
  expect(canonicalJson("1")).not.toBe(canonicalJson(1));
});

test("whole numbers and multiples are told exactly", () => {
  for (const text of ["1.0", "1e2", "1e400", "9007199254740993", "-0", "1.50e1"])
    expect([text, isWhole(n(text))]).toEqual([text, true]);
  for (const text of ["1.5", "1e-1", "9007199254740993.5", "1e-400"])
    expect([text, isWhole(n(text))]).toEqual([text, false]);
  const multiples = [
    ["0.0075", "0.0001"],
    ["1e308", "0.5"],
    ["9007199254740993", "3"],
    ["0", "7"],
    ["1e400", "8"],
    ["4.5", "1.5"],
  ];
  for (const [a = "", b = ""] of multiples) expect([a, b, isMultipleOf(n(a), n(b))]).toEqual([a, b, true]);
  const others = [
    ["0.00751", "0.0001"],
    ["9007199254740993", "2"],
    ["1e400", "3"],
    ["1e-400", "1"],
    ["35", "1.5"],
  ];
  for (const [a = "", b = ""] of others) expect([a, b, isMultipleOf(n(a), n(b))]).toEqual([a, b, false]);
});

test("a long number takes no long time", () => {
  const startedAt = performance.now();
  for (const text of [`1${"0".repeat(500_000)}1`, `0.${"0".repeat(500_000)}1`, `1e${"9".repeat(1_000)}`]) {
    compareNumbers(n(text), 1);
    isWhole(n(text));
    canonicalJson(n(text));
  }
  expect(performance.now() - startedAt).toBeLessThan(5_000);
});
