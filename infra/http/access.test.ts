import { expect, test } from "bun:test";
import { ACCESS, accessOf } from "./access.ts";

test("accessOf() is what the route says, and admin for one that says nothing or something else", () => {
  for (const access of ["open", "key", "orders", "events", "services", "admin"])
    expect(accessOf({ detail: { [ACCESS]: access } })).toBe(access as never);
  for (const hooks of [
    undefined,
    {},
    { detail: {} },
    { detail: { [ACCESS]: "everyone" } },
    { detail: { [ACCESS]: 1 } },
  ])
    expect(accessOf(hooks)).toBe("admin");
});
