import { expect, setDefaultTimeout, test } from "bun:test";
import {
  type DurableStoreFixture,
  durableStoreConformance,
  storeConformance,
  troupeConformance,
} from "#runtime/testing";
import { testDatabase } from "../stack/for-tests.ts";
import { postgresStore } from "./store.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

async function fixture(): Promise<DurableStoreFixture> {
  const database = await testDatabase("store");
  return {
    store: postgresStore(database.url),
    another: () => postgresStore(database.url),
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  };
}

storeConformance("postgres", fixture, { test, expect });
durableStoreConformance("postgres", fixture, { test, expect });
troupeConformance(
  "postgres",
  async () => {
    const made = await fixture();
    return { store: () => made.another(), [Symbol.asyncDispose]: () => made[Symbol.asyncDispose]() };
  },
  { test, expect },
);
