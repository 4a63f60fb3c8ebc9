import { expect, test } from "bun:test";
import { matchesTopic } from "./topic-pattern.ts";

test.each([
  ["order.placed.v1", "order.placed.v1", true],
  ["order.*.v1", "order.placed.v1", true],
  ["order.*", "order.placed.v1", false],
  ["order.#", "order.placed.v1", true],
  ["#", "order", true],
  ["#.v1", "order.placed.v1", true],
  ["#.v1", "v1", true],
  ["order.#", "order", true],
  ["*", "", true],
  ["stock.placed.v1", "order.placed.v1", false],
])("a queue that is bound with %j gets %j: %p", (pattern, key, routed) => {
  expect(matchesTopic(pattern, key)).toBe(routed);
});
