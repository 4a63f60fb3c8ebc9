import { expect, test } from "bun:test";
import { newClusterId } from "./kafka-node.ts";

test("newClusterId() never looks like an option to the format tool", () => {
  const ids = Array.from({ length: 2_000 }, newClusterId);
  expect(ids.filter((id) => id.startsWith("-"))).toEqual([]);
  expect(ids.every((id) => Buffer.from(id, "base64url").length === 16)).toBe(true);
  expect(new Set(ids).size).toBe(ids.length);
});
