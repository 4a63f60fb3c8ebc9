import { expect, setDefaultTimeout, test } from "bun:test";
import type { Store } from "#runtime";
import {
  controlConformance,
  replayConformance,
  deadLetterConformance,
  type DurableStoreFixture,
  durableStoreConformance,
  scheduleConformance,
  storeConformance,
  troupeConformance,
} from "#runtime/testing";
import { testDatabase } from "../stack/for-tests.ts";
import { postgresStore } from "./store.ts";

// The first test that needs servers may have to start them.
setDefaultTimeout(60_000);

/** A database, with as many stores on it as are asked for. */
async function shared() {
  const database = await testDatabase("store");
  const store = (partitions?: number): Store =>
    postgresStore(database.url, partitions === undefined ? {} : { partitions });
  return { store, [Symbol.asyncDispose]: () => database[Symbol.asyncDispose]() };
}

async function fixture(partitions?: number): Promise<DurableStoreFixture> {
  const made = await shared();
  return {
    store: made.store(partitions),
    another: made.store,
    [Symbol.asyncDispose]: () => made[Symbol.asyncDispose](),
  };
}

storeConformance("postgres", fixture, { test, expect });
durableStoreConformance("postgres", fixture, { test, expect });
scheduleConformance("postgres", fixture, { test, expect });
deadLetterConformance("postgres", fixture, { test, expect });
troupeConformance("postgres", shared, { test, expect });
controlConformance("postgres", shared, { test, expect });
replayConformance("postgres", shared, { test, expect });
