import { expect, test } from "bun:test";
import { parseNatsUrl } from "./url.ts";

test("parseNatsUrl() adds the scheme and the port", () => {
  expect(parseNatsUrl("localhost")).toEqual({
    servers: ["nats://localhost:4222"],
    address: "nats://localhost:4222",
    encrypted: false,
  });
});

test("parseNatsUrl() reads several servers", () => {
  expect(parseNatsUrl("nats://a:1, b:2").servers).toEqual(["nats://a:1", "nats://b:2"]);
});

test("parseNatsUrl() keeps credentials out of the address", () => {
  expect(parseNatsUrl("nats://me:p%40ss@a:1")).toEqual({
    servers: ["nats://a:1"],
    address: "nats://a:1",
    encrypted: false,
    user: "me",
    pass: "p@ss",
  });
  expect(parseNatsUrl("nats://s3cret@a:1")).toEqual({
    servers: ["nats://a:1"],
    address: "nats://a:1",
    encrypted: false,
    token: "s3cret",
  });
});

test("parseNatsUrl() takes passwords with commas and signs, and never repeats them in its error", () => {
  const read = parseNatsUrl("nats://me:p,s@s@a:1,nats://b,c:3");
  expect(read).toMatchObject({ user: "me", pass: "p,s@s", address: "nats://a:1,nats://b:4222,nats://c:3" });
  for (const text of ["nats://me:s3/cret@a", "nats://me:s3cret", "s3cret of mine"]) {
    expect(() => parseNatsUrl(text)).toThrow("Cannot read the address of NATS: expected nats://");
    expect(() => parseNatsUrl(text)).not.toThrow("s3");
  }
});
