import { expect, test } from "bun:test";
import { ACCESS } from "#infra/http/access.ts";
import { pathIn, RouteTable } from "./route-table.ts";

const route = (method: string, path: string, access?: string) => ({
  method,
  path,
  hooks: access === undefined ? {} : { detail: { [ACCESS]: access } },
});

const table = new RouteTable([
  route("GET", "/", "open"),
  route("GET", "/orders", "orders"),
  route("GET", "/orders/:id", "orders"),
  route("POST", "/orders/:id/cancel", "orders"),
  route("GET", "/orders/export", "admin"),
  route("ALL", "/s/:name/*", "services"),
  route("GET", "/forgotten"),
  route("GET", "/misspelt", "everyone"),
]);
const found = (method: string, path: string): unknown[] => {
  const match = table.find(method, path);
  return match === undefined ? [] : [match.route, match.access];
};

test("RouteTable.find() takes the nearest pattern, HEAD like GET, and a slash at the end as none", () => {
  expect(found("GET", "/")).toEqual(["/", "open"]);
  expect(found("GET", "/orders")).toEqual(["/orders", "orders"]);
  expect(found("HEAD", "/orders/")).toEqual(["/orders", "orders"]);
  expect(found("GET", "/orders/ord_1")).toEqual(["/orders/:id", "orders"]);
  expect(found("GET", "/orders/export")).toEqual(["/orders/export", "admin"]);
  expect(found("POST", "/orders/export/cancel")).toEqual(["/orders/:id/cancel", "orders"]);
  expect(found("DELETE", "/s/web/a/b")).toEqual(["/s/:name/*", "services"]);
});

test("RouteTable.find() finds nothing for another method, an empty part, or a path of its own making", () => {
  for (const [method, path] of [
    ["POST", "/orders"],
    ["GET", "/orders//cancel"],
    ["GET", "//orders"],
    ["GET", "/Orders"],
    ["GET", "/__proto__"],
    ["GET", "/orders/1/2/3"],
  ] as const)
    expect([path, ...found(method, path)]).toEqual([path]);
});

test("a route that does not say who may use it, or says it wrongly, is for admin", () => {
  expect(found("GET", "/forgotten")).toEqual(["/forgotten", "admin"]);
  expect(found("GET", "/misspelt")).toEqual(["/misspelt", "admin"]);
});

test("pathIn() is the path alone", () => {
  expect(pathIn("http://h:1/a/b?c=/d")).toBe("/a/b");
  expect(pathIn("http://h")).toBe("/");
});
