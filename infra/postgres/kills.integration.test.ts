import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { testDatabase } from "#infra/stack/for-tests.ts";
import type { Store } from "#runtime";
import { postgresStore } from "./store.ts";

setDefaultTimeout(120_000);

/** Two messages, each of which ends five processes. */
const KILLS = 10;

async function doneBy(store: Store, keys: readonly string[]): Promise<number[]> {
  const loaded = await store.load(keys.map((key) => ({ type: "worker", key })));
  return loaded.map(({ state }) => (state === undefined ? 0 : (JSON.parse(state) as { done: number }).done));
}

test("a send and a timer that kill every process that runs them end as dead letters, and their actors go on", async () => {
  await using database = await testDatabase("kills");
  const store = postgresStore(database.url);
  await store.open();
  const letters = () => store.deadLetters({}, { after: 0, limit: 10 });
  let over = false;
  let kills = 0;
  let node: Bun.Subprocess | undefined;
  const starting = (async () => {
    while (!over && kills <= KILLS) {
      node = Bun.spawn([process.execPath, join(import.meta.dirname, "kills-process.fixture.ts"), database.url], {
        stdin: "ignore",
        stdout: "inherit",
        stderr: "inherit",
      });
      await node.exited;
      if (!over) kills++;
    }
  })();
  try {
    while (kills <= KILLS) {
      if ((await letters()).length === 2 && String(await doneBy(store, ["a", "b", "c", "d"])) === "2,1,1,1") break;
      await Bun.sleep(50);
    }
  } finally {
    over = true;
    node?.kill("SIGKILL");
    await starting;
  }
  const kept = await letters();
  await store.close();
  expect(kept.map(({ target, reason }) => `${target} ${reason}`).toSorted()).toEqual([
    "boss/boss poison",
    "worker/a poison",
  ]);
  expect(kept[0]?.detail).toContain("as the node that ran it ended 5 times");
  expect(kills).toBeLessThanOrEqual(KILLS);
});
