import { expect, test } from "bun:test";
import { memory } from "#runtime";
import { storeConformance } from "./testing/store-conformance.ts";
import { troupeConformance } from "./testing/troupe-conformance.ts";

const nothingLeft = (): Promise<void> => Promise.resolve();

storeConformance("memory", async () => ({ store: memory(), [Symbol.asyncDispose]: nothingLeft }), { test, expect });

troupeConformance(
  "memory",
  async () => {
    const store = memory();
    return { store: () => store, [Symbol.asyncDispose]: nothingLeft };
  },
  { test, expect },
);
