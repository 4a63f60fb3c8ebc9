import { expect, setDefaultTimeout, test } from "bun:test";
import {
  controlConformance,
  deadLetterConformance,
  scheduleConformance,
  type SharedStoreFixture,
  type StoreFixture,
  storeConformance,
} from "#runtime/testing";
import { testDatabase } from "../stack/for-tests.ts";
import { postgresStore } from "./store.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

const make = async (): Promise<StoreFixture> => {
  const database = await testDatabase("store");
  return { store: postgresStore(database.url), [Symbol.asyncDispose]: () => database[Symbol.asyncDispose]() };
};

storeConformance("postgres", make, { test, expect });
scheduleConformance("postgres", make, { test, expect });
deadLetterConformance("postgres", make, { test, expect });
controlConformance(
  "postgres",
  async (): Promise<SharedStoreFixture> => {
    const database = await testDatabase("control");
    return {
      store: () => postgresStore(database.url),
      [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
    };
  },
  { test, expect },
);
