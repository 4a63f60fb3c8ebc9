import { expect, test } from "bun:test";
import { hostIn, isLoopbackHost, targetOf } from "./target.ts";

const got = (url: string, host?: string) =>
  targetOf({ url, headers: new Headers(host === undefined ? {} : { host }) } as Request);

test("targetOf() reads host, path and query of short and long names alike", () => {
  for (const host of ["x", "a:1", "api", "app", "web", "shop.example:8080", "[::1]:3000", "127.0.0.1"])
    expect(got(`http://${host}/events?a=/keys&b=?`, host)).toEqual({
      host: host.replace(/:\d+$/, ""),
      path: "/events",
      query: "a=/keys&b=?",
    });
  expect(got("https://x/a", "x")).toEqual({ host: "x", path: "/a", query: "" });
  expect(got("http://h.example")).toEqual({ host: "h.example", path: "/", query: "" });
});

test("targetOf() refuses an address that could be read in two ways", () => {
  for (const [url, host] of [
    ["/orders", "localhost/health?q="],
    ["http://localhost/health?q=/orders", "localhost/health?q="],
    ["/orders", ""],
    ["/orders", undefined],
    ["http://a/orders", "a, b"],
    ["http://a/orders", "a, a"],
  ] as const) {
    expect(() => got(url, host)).toThrow(expect.objectContaining({ status: 400, code: "host.invalid" }));
  }
  expect(() => got("http://h/orders#/health", "h")).toThrow(expect.objectContaining({ code: "target.invalid" }));
});

test("hostIn() takes what RFC 9110 calls a host, and nothing else", () => {
  for (const host of [
    "a",
    "A.example.",
    "xn--bcher-kva.example",
    "a_b",
    "a-b.c:80",
    "h:",
    "[2001:db8::1]:443",
    "%6c",
    "1.2.3",
  ])
    expect([host, hostIn(host) === undefined]).toEqual([host, false]);
  for (const host of [
    "",
    " ",
    "a b",
    "a/b",
    "a?b",
    "a#b",
    "u@h",
    "u:p@h",
    "h\\x",
    "h:x",
    "h:-1",
    "h:65536",
    "h:123456",
    "h:80:80",
    "a, b",
    "a,b",
    "[::1",
    "::1",
    "[::1]x",
    "[zz]",
    "[]",
    "[1.2.3.4]",
    "<h>",
    "h\t",
    "ä",
    "%zz",
    "%00",
    "a%2fb",
    "a%23",
    "http://h",
    `${"a".repeat(254)}`,
  ])
    expect([host, hostIn(host)]).toEqual([host, undefined]);
});

test("isLoopbackHost() knows the names that only this machine has", () => {
  for (const host of [
    "localhost",
    "localhost.",
    "app.localhost",
    "127.0.0.1",
    "127.9.9.9",
    "[::1]",
    "[::ffff:127.0.0.1]",
  ])
    expect([host, isLoopbackHost(host)]).toEqual([host, true]);
  for (const host of [
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "notlocalhost",
    "0.0.0.0",
    "127.1",
    "0x7f.1",
    "10.0.0.1",
    "[::]",
    "api",
  ])
    expect([host, isLoopbackHost(host)]).toEqual([host, false]);
});
