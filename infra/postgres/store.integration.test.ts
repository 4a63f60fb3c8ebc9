import { expect, test } from "bun:test";
import { storeConformance } from "#runtime/testing";
import { testDatabase } from "../stack/for-tests.ts";
import { postgresStore } from "./store.ts";

storeConformance(
  "postgres",
  async () => {
    const database = await testDatabase("store");
    return { store: postgresStore(database.url), [Symbol.asyncDispose]: () => database[Symbol.asyncDispose]() };
  },
  { test, expect },
);
