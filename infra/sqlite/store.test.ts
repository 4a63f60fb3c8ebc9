import { expect, test } from "bun:test";
import {
  type DurableStoreFixture,
  durableStoreConformance,
  storeConformance,
  troupeConformance,
} from "#runtime/testing";
import { sqlite } from "./store.ts";
import { temporaryFile } from "./temporary-file.fixture.ts";

async function fixture(): Promise<DurableStoreFixture> {
  const file = await temporaryFile();
  return {
    store: sqlite(file.path),
    another: () => sqlite(file.path),
    [Symbol.asyncDispose]: () => file[Symbol.asyncDispose](),
  };
}

storeConformance("sqlite", fixture, { test, expect });
durableStoreConformance("sqlite", fixture, { test, expect });
troupeConformance(
  "sqlite",
  async () => {
    const made = await fixture();
    return { store: () => made.another(), [Symbol.asyncDispose]: () => made[Symbol.asyncDispose]() };
  },
  { test, expect },
);
