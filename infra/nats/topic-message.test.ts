import { expect, test } from "bun:test";
import { topicOf, topicSubject } from "./topic-message.ts";

test("topicSubject() is one to one, and one subject below the prefix", () => {
  const topics = ["orders", "orders/ord_42", "a.b/c", "a/b.c", "a.b.c", "a/b/c", "a/b:c~d-e", "stock/-0"];
  const subjects = topics.map((topic) => topicSubject(topic, "topic"));
  expect(subjects.slice(0, 3)).toEqual(["topic.orders", "topic.orders.ord_42", "topic.a=b.c"]);
  expect(new Set(subjects).size).toBe(topics.length);
  expect(subjects.map((subject) => topicOf(subject, "topic"))).toEqual(topics);
});

test("topicSubject() derives nothing from what is no topic", () => {
  for (const text of ["", ">", "a.>", "a/*", "a b", "a\r\nPUB x", "a=b", "/a", "a//b"])
    expect(() => topicSubject(text, "topic")).toThrow(RangeError);
});
