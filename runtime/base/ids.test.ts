import { expect, test } from "bun:test";
import { newId, uuidv7 } from "#runtime";

test("uuidv7() has the layout of RFC 9562, and the time it was given", () => {
  const later = Date.now() + 60_000;
  const id = uuidv7(later);
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(Number.parseInt(id.replace("-", "").slice(0, 12), 16)).toBe(later);
});

test("uuidv7() never repeats, and sorts in the order it was called, also within one millisecond", () => {
  const ids = Array.from({ length: 20_000 }, () => uuidv7());
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.toSorted()).toEqual(ids);
});

test("newId() puts the prefix in front", () => {
  expect(newId("ord")).toMatch(/^ord_[0-9a-f-]{36}$/);
});
