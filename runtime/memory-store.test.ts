import { expect, test } from "bun:test";
import { memory } from "#runtime";
import { storeConformance } from "./testing/store-conformance.ts";

storeConformance("memory", async () => ({ store: memory(), [Symbol.asyncDispose]: () => Promise.resolve() }), {
  test,
  expect,
});
