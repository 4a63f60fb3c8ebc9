import { expect, test } from "bun:test";
import { eventSubject, nodeSubject } from "./subjects.ts";

test("eventSubject() puts the event type below the prefix", () => {
  expect(eventSubject("order.placed.v1")).toBe("evt.order.placed.v1");
  expect(eventSubject("com.example/push:1", "evt-7")).toBe("evt-7.com.example/push:1");
});

test.each([
  "",
  ".",
  "order.",
  ".order",
  "a..b",
  "a.*",
  "*",
  "order.>",
  ">",
  "a b",
  "a\tb",
  "a\r\nPUB x 0",
  "a\0b",
  "größe",
  `a.${"x".repeat(300)}`,
])("eventSubject() refuses %j", (type) => {
  expect(() => eventSubject(type)).toThrow(RangeError);
});

test("nodeSubject() puts the node id below the prefix", () => {
  expect(nodeSubject("n_0199-ab")).toBe("troupe.node.n_0199-ab");
});

test.each(["", "a.b", "*", ">", "a b", "a\r\n"])("nodeSubject() refuses %j", (node) => {
  expect(() => nodeSubject(node)).toThrow(RangeError);
});
