import { expect, test } from "bun:test";
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
import { sqlite } from "./store.ts";
import { temporaryFile } from "./temporary-file.fixture.ts";

/** A database, with as many stores on it as are asked for. */
async function shared() {
  const file = await temporaryFile();
  const store = (partitions?: number): Store => sqlite(file.path, partitions === undefined ? {} : { partitions });
  return { store, [Symbol.asyncDispose]: () => file[Symbol.asyncDispose]() };
}

async function fixture(partitions?: number): Promise<DurableStoreFixture> {
  const made = await shared();
  return {
    store: made.store(partitions),
    another: made.store,
    [Symbol.asyncDispose]: () => made[Symbol.asyncDispose](),
  };
}

storeConformance("sqlite", fixture, { test, expect });
durableStoreConformance("sqlite", fixture, { test, expect });
scheduleConformance("sqlite", fixture, { test, expect });
deadLetterConformance("sqlite", fixture, { test, expect });
troupeConformance("sqlite", shared, { test, expect });
controlConformance("sqlite", shared, { test, expect });
replayConformance("sqlite", shared, { test, expect });
