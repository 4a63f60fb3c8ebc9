import { expect, test } from "bun:test";
import { covers, withSubjects } from "./subject-sets.ts";

test.each([
  ["evt.>", "evt.order.placed.v1", true],
  ["evt.>", "evt.>", true],
  ["evt.>", "evt.*", true],
  ["evt.>", "evt", false],
  ["evt.*", "evt.>", false],
  ["evt.*.placed", "evt.order.placed", true],
  ["evt.order.*", "evt.*.placed", false],
  [">", "evt.>", true],
  ["evt.order", "evt.order.placed", false],
  ["evt.order.placed", "evt.order", false],
])("%s covers %s: %p", (outer, inner, covered) => {
  expect(covers(outer, inner)).toBe(covered);
});

test("withSubjects() adds what is missing, and keeps the rest", () => {
  expect(withSubjects(["audit.>", "evt.>"], ["evt.>"])).toEqual(["audit.>", "evt.>"]);
  expect(withSubjects(["audit.>", "evt.order.>"], ["evt.>"])).toEqual(["audit.>", "evt.>"]);
  expect(withSubjects([">"], ["evt.>"])).toEqual([">"]);
  expect(withSubjects([], ["evt.>"])).toEqual(["evt.>"]);
});
