import { expect, test } from "bun:test";
import { memory, systemClock } from "#runtime";
import {
  deadLetterConformance,
  scheduleConformance,
  type StoreFixture,
  storeConformance,
  troupeConformance,
} from "#runtime/testing";

const nothingLeft = (): Promise<void> => Promise.resolve();

const make = async (partitions?: number): Promise<StoreFixture> => ({
  store: memory("memory", systemClock, partitions),
  [Symbol.asyncDispose]: nothingLeft,
});

storeConformance("memory", make, { test, expect });
scheduleConformance("memory", make, { test, expect });
deadLetterConformance("memory", make, { test, expect });
troupeConformance(
  "memory",
  async () => {
    const store = memory();
    return { store: () => store, [Symbol.asyncDispose]: nothingLeft };
  },
  { test, expect },
);
