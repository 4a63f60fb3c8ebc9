import { expect, test } from "bun:test";
import { memory } from "#runtime";
import { deadLetterConformance, scheduleConformance, type StoreFixture, storeConformance } from "#runtime/testing";

const make = async (): Promise<StoreFixture> => ({
  store: memory(),
  [Symbol.asyncDispose]: () => Promise.resolve(),
});

storeConformance("memory", make, { test, expect });
scheduleConformance("memory", make, { test, expect });
deadLetterConformance("memory", make, { test, expect });
