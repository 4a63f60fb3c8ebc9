import { expect, test } from "bun:test";
import { derivedId, idempotencyKey, messageIdOf } from "./idempotency.ts";
import { Problem } from "./problem.ts";

const withKey = (key: string): Request => new Request("http://localhost/", { headers: { "idempotency-key": key } });

test("idempotencyKey() takes 1 to 255 visible ASCII characters, or none at all", () => {
  expect(idempotencyKey(new Request("http://localhost/"))).toBeUndefined();
  for (const key of ["a", "7d1f9a3e-6c52-8b41", "!~", "x".repeat(255)]) expect(idempotencyKey(withKey(key))).toBe(key);
  for (const key of ["", "a b", "x".repeat(256), "é", "a\tb"])
    expect(() => idempotencyKey(withKey(key))).toThrow(Problem);
});

test("derivedId() is the same for the same scope and key, and another one otherwise", () => {
  const id = derivedId("ord", "POST /orders", "k");
  expect(derivedId("ord", "POST /orders", "k")).toBe(id);
  expect(derivedId("ord", "POST /orders", "l")).not.toBe(id);
  expect(derivedId("ord", "POST /x", "k")).not.toBe(id);
});

test("derivedId() is a UUIDv8 that fits the key of an order", () => {
  for (let i = 0; i < 100; i++) {
    const id = derivedId("ord", "POST /orders", String(i));
    expect(id).toMatch(/^ord_[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(/^ord_[A-Za-z0-9-]{1,64}$/.test(id)).toBe(true);
  }
});

test("messageIdOf() keeps a write without a key free to act again", () => {
  expect(messageIdOf(undefined)).toBeUndefined();
  expect(messageIdOf("k")).toBe("http/k");
});

test("messageIdOf() keeps the ids of the longest keys apart and short enough for the runtime", () => {
  const ids = ["a", "b"].map((end) => messageIdOf("x".repeat(254) + end));
  expect(ids[0]).not.toBe(ids[1]);
  for (const id of ids) expect(id?.length).toBeLessThanOrEqual(255);
});
