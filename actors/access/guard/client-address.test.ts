import { expect, test } from "bun:test";
import { clientAddress, networkOf, trustedProxies } from "./client-address.ts";

const proxies = trustedProxies(["10.0.0.0/8", "::1"]);

test("clientAddress() believes X-Forwarded-For of trusted proxies alone, from its end on", () => {
  for (const [peer, header, expected] of [
    ["203.0.113.9", "1.1.1.1", "203.0.113.9"],
    ["10.0.0.1", null, "10.0.0.1"],
    ["10.0.0.1", "1.1.1.1, 198.51.100.7", "198.51.100.7"],
    ["10.0.0.1", "1.1.1.1, 198.51.100.7, 10.2.3.4", "198.51.100.7"],
    ["::ffff:10.0.0.1", "198.51.100.7", "198.51.100.7"],
    ["10.0.0.1", "198.51.100.7, what?", "10.0.0.1"],
    ["::1", "2001:db8::5", "2001:db8::5"],
    ["", "1.1.1.1", ""],
  ] as const)
    expect([peer, header, clientAddress(peer, header, proxies)]).toEqual([peer, header, expected]);
  expect(clientAddress("10.0.0.1", "1.1.1.1", [])).toBe("10.0.0.1");
});

test("networkOf() is one for all of a /64, and for an IPv4 address however it is written", () => {
  expect(networkOf("2001:db8:1:2:3:4:5:6")).toBe(networkOf("2001:db8:1:2::1"));
  expect(networkOf("2001:db8:1:2::1")).not.toBe(networkOf("2001:db8:1:3::1"));
  expect(networkOf("::ffff:203.0.113.9")).toBe(networkOf("203.0.113.9"));
  expect(networkOf("")).toBe("unknown");
});

test("trustedProxies() names what is no address", () => {
  expect(() => trustedProxies(["10.0.0.0/8", "nginx"])).toThrow('Cannot trust the proxy "nginx"');
  expect(() => trustedProxies(["10.0.0.0/99"])).toThrow("10.0.0.0/99");
});
