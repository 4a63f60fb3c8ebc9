import { expect, test } from "bun:test";
import { isTopic } from "#runtime";
import { noticesTopic } from "./topic.ts";

test("noticesTopic() names a topic for whatever a customer is called, another one for each", () => {
  const names = ["cus_1", "a b", "аdmin", "~/x", "%", "*", "ü".repeat(100), "a/b", "'", "😀", "a~b"];
  for (const name of names) expect([name, isTopic(noticesTopic(name))]).toEqual([name, true]);
  expect(new Set(names.map(noticesTopic)).size).toBe(names.length);
  expect(noticesTopic("cus_1")).toBe("notifications/cus_1");
});
