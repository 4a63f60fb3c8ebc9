import { expect, test } from "bun:test";
import { refusedBy } from "./refusals.ts";

test("refusedBy() knows the refusals of every product by actor type, and none of a type that lists none", () => {
  const status = (type: string, reason: string): number | undefined => refusedBy(type).refusals?.[reason]?.status;
  expect(status("order", "mixed_currencies")).toBe(422);
  expect(status("stock", "unknown_sku")).toBe(404);
  expect(status("endpoint", "unknown_endpoint")).toBe(404);
  expect(status("service", "unknown_service")).toBe(404);
  expect(status("key", "too_many_keys")).toBe(409);
  expect(refusedBy("invoice")).toEqual({ noun: "invoice" });
  expect(refusedBy("constructor")).toEqual({ noun: "constructor" });
});
