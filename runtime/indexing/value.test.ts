import { expect, test } from "bun:test";
import { MAX_INDEXED_LENGTH } from "../base/limits.ts";
import { compareText } from "../base/text-order.ts";
import { encodeIndexValue, encodeRange } from "./value.ts";

const LONG = "x".repeat(MAX_INDEXED_LENGTH);

const NUMBERS = [-1e300, -256, -1.5, -1, -Number.MIN_VALUE, 0, Number.MIN_VALUE, 0.1, 1, 2, 10, 255, 1e21, 1e300];
const TEXTS = [
  "",
  "\0",
  "\0\0",
  "\0a",
  "\u0001",
  "\u0001a",
  "\u0002",
  "A",
  "a",
  "a\0",
  "a\0b",
  "a\u0001",
  "a ",
  "aa",
  LONG,
  `${LONG}y`,
  "ä",
  "漢",
  "\ufffd",
  "😀",
];

function encoded(value: unknown): string {
  return encodeIndexValue(value) ?? "none";
}

function within(value: string | number, bounds: Parameters<typeof encodeRange>[0]): boolean {
  const { from, before } = encodeRange(bounds);
  return compareText(encoded(value), from) >= 0 && compareText(encoded(value), before) < 0;
}

test("encoded values have the order of the values: null, booleans, numbers, strings", () => {
  const values = [null, false, true, ...NUMBERS, ...TEXTS];
  const encodings = values.map(encoded);
  expect(encodings.toSorted(compareText)).toEqual(encodings);
});

test("equal values have one encoding, and other ones another unless they were cut", () => {
  expect(encoded(-0)).toBe(encoded(0));
  expect(encoded(Number.NaN)).toBe(encoded(null)); // as in JSON
  expect(new Set([null, false, true, ...NUMBERS, ...TEXTS].map(encoded)).size).toBe(
    3 + NUMBERS.length + TEXTS.length - 1,
  );
  expect(encoded(`${LONG}y`)).toBe(encoded(LONG));
});

test("what is no string, number, boolean or null is not indexed", () => {
  expect([undefined, {}, [], new Date(0)].map((value) => encodeIndexValue(value))).toEqual([
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
});

test("encoded text holds no NUL and no half of a surrogate pair, and is bounded", () => {
  for (const text of ["\0", "\ud800", `${"x".repeat(MAX_INDEXED_LENGTH - 1)}😀`, "\0".repeat(1_000)]) {
    const value = encoded(text);
    expect([value.includes("\0"), value.isWellFormed(), value.length <= MAX_INDEXED_LENGTH + 1]).toEqual([
      false,
      true,
      true,
    ]);
  }
});

test("a range holds every value that its bounds allow", () => {
  for (const values of [NUMBERS, TEXTS] as const) {
    for (const [i, bound] of values.entries()) {
      for (const [j, value] of values.entries()) {
        if (j > i) expect([value, bound, within(value, { gt: bound })]).toEqual([value, bound, true]);
        if (j >= i) expect([value, bound, within(value, { gte: bound })]).toEqual([value, bound, true]);
        if (j < i) expect([value, bound, within(value, { lt: bound })]).toEqual([value, bound, true]);
        if (j <= i) expect([value, bound, within(value, { lte: bound })]).toEqual([value, bound, true]);
      }
    }
  }
});

test("a range holds no other value, unless text was cut, and none of another kind", () => {
  for (const values of [NUMBERS, TEXTS.filter((text) => !text.startsWith("x"))] as const) {
    for (const [i, bound] of values.entries()) {
      for (const [j, value] of values.entries()) {
        if (j <= i) expect(within(value, { gt: bound })).toBe(false);
        if (j < i) expect(within(value, { gte: bound })).toBe(false);
        if (j >= i) expect(within(value, { lt: bound })).toBe(false);
        if (j > i) expect(within(value, { lte: bound })).toBe(false);
      }
    }
  }
  expect([within("1", { gte: -1e300 }), within(1, { gte: "" }), within(1, { lt: "😀" })]).toEqual([
    false,
    false,
    false,
  ]);
});
