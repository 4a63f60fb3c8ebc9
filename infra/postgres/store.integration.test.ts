import { expect, setDefaultTimeout, test } from "bun:test";
import { storeConformance } from "#runtime/testing";
import { testDatabase } from "../stack/for-tests.ts";
import { postgresStore } from "./store.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

storeConformance(
  "postgres",
  async () => {
    const database = await testDatabase("store");
    return { store: postgresStore(database.url), [Symbol.asyncDispose]: () => database[Symbol.asyncDispose]() };
  },
  { test, expect },
);
