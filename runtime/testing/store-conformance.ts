/**
 * The promises of the store port, as tests that every store runs. The test functions come from the caller, because the
 * runtime imports no test runner.
 */
import { commits } from "./store/commits.ts";
import { durability } from "./store/durability.ts";
import { fencing } from "./store/fencing.ts";
import { indexing } from "./store/indexing.ts";
import { journal } from "./store/journal.ts";
import type { DurableStoreFixture, StoreFixture, TestTools, Theme } from "./store/kit.ts";
import { outbox } from "./store/outbox.ts";
import { ownership } from "./store/ownership.ts";
import { reading } from "./store/reading.ts";
import { timers } from "./store/timers.ts";

export type { DurableStoreFixture, StoreFixture, TestTools };

const THEMES: readonly Theme[] = [ownership, fencing, commits, outbox, timers, reading, indexing, journal];

/**
 * Declares the suite for the store that `make` gives: an empty one each time, not yet opened.
 *
 * @example
 * ```ts
 * storeConformance("memory", async () => ({ store: memory(), [Symbol.asyncDispose]: async () => {} }), { test, expect });
 * ```
 */
export function storeConformance(name: string, make: () => Promise<StoreFixture>, tools: TestTools): void {
  for (const theme of THEMES) declare(name, make, tools, theme);
}

/**
 * Declares the rest of the suite, for stores that outlive their process: several of them share what `make` made.
 *
 * @example
 * ```ts
 * durableStoreConformance("file", async () => {
 *   const open = () => sqlite("data/suite.db");
 *   return { store: open(), another: open, [Symbol.asyncDispose]: async () => {} };
 * }, { test, expect });
 * ```
 */
export function durableStoreConformance(
  name: string,
  make: () => Promise<DurableStoreFixture>,
  tools: TestTools,
): void {
  declare(name, make, tools, durability);
}

function declare<Fixture extends StoreFixture>(
  name: string,
  make: () => Promise<Fixture>,
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
