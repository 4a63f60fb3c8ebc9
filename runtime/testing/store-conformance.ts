/**
 * The promises of the store port, as tests that every store runs. The test functions come from the caller, because the
 * runtime imports no test runner.
 */
import { MAX_PARTITIONS } from "../message/address.ts";
import { commits } from "./store/commits.ts";
import { durability } from "./store/durability.ts";
import { fencing } from "./store/fencing.ts";
import { indexing } from "./store/indexing.ts";
import { journal } from "./store/journal.ts";
import type { DurableStoreFixture, StoreFixture, TestTools, Theme } from "./store/kit.ts";
import { outbox } from "./store/outbox.ts";
import { ownership } from "./store/ownership.ts";
import { keptPartitions, manyPartitions, racedPartitions } from "./store/partitions.ts";
import { reading } from "./store/reading.ts";
import { timers } from "./store/timers.ts";

export type { DurableStoreFixture, StoreFixture, TestTools };

const THEMES: readonly Theme[] = [ownership, fencing, commits, outbox, timers, reading, indexing, journal];

/**
 * Declares the suite for the store that `make` gives: an empty one each time, not yet opened, that is made with as many
 * partitions as `make` is asked for.
 *
 * @example
 * ```ts
 * const make = async (partitions?: number) => ({
 *   store: memory("suite", systemClock, partitions),
 *   [Symbol.asyncDispose]: async () => {},
 * });
 * storeConformance("memory", make, { test, expect });
 * ```
 */
export function storeConformance(name: string, make: Make<StoreFixture>, tools: TestTools): void {
  for (const theme of THEMES) declare(name, make, tools, theme);
  declare(`${name} (${MAX_PARTITIONS} partitions)`, () => make(MAX_PARTITIONS), tools, manyPartitions);
}

/**
 * Declares the rest of the suite, for stores that outlive their process: several of them share what `make` made.
 *
 * @example
 * ```ts
 * durableStoreConformance("file", async (partitions) => {
 *   const open = (asked?: number) => sqlite("data/suite.db", asked === undefined ? {} : { partitions: asked });
 *   return { store: open(partitions), another: open, [Symbol.asyncDispose]: async () => {} };
 * }, { test, expect });
 * ```
 */
export function durableStoreConformance(name: string, make: Make<DurableStoreFixture>, tools: TestTools): void {
  declare(name, make, tools, durability);
  declare(`${name} (100 partitions)`, () => make(100), tools, keptPartitions);
  racedPartitions((title, run) => {
    tools.test(`${name} store: ${title}`, async () => {
      await using fixture = await make();
      await run(fixture.store, new Map(), fixture);
    });
  }, tools.expect);
}

type Make<Fixture extends StoreFixture> = (partitions?: number) => Promise<Fixture>;

function declare<Fixture extends StoreFixture>(
  name: string,
  make: Make<Fixture>,
  { test, expect }: TestTools,
  theme: Theme<Fixture>,
): void {
  theme((title, run) => {
    test(`${name} store: ${title}`, async () => {
      await using fixture = await make();
      const { store } = fixture;
      await store.open();
      await store.heartbeat("a", 60_000);
      const grants = new Map((await store.acquire("a")).map((grant) => [grant.partition, grant]));
      try {
        await run(store, grants, fixture);
      } finally {
        await store.close();
      }
    });
  }, expect);
}
