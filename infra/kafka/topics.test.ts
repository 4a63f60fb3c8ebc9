import { expect, test } from "bun:test";
import { eventTopic } from "./topics.ts";

test("eventTopic() is the topic of the noun", () => {
  expect(eventTopic("order.placed.v1")).toBe("order.events.v1");
  expect(eventTopic("stock.reserved.v1", "test-7.")).toBe("test-7.stock.events.v1");
});

test.each(["", ".placed", "or der.placed", "or_der.placed", "../x", "größe.v1", "a\n.b", `${"x".repeat(201)}.placed`])(
  "eventTopic() refuses %j",
  (type) => {
    expect(() => eventTopic(type)).toThrow(RangeError);
  },
);
