import { expect, test } from "bun:test";
import { runInChains } from "./chains.ts";

const chainOf = (item: string): string => item[0] ?? "";

test("runInChains() never has two of a chain under way and keeps each chain's order", async () => {
  const underWay = new Set<string>();
  const ended: string[] = [];
  const items = ["a1", "b1", "a2", "c1", "a3", "b2"];
  const results = await runInChains(items, chainOf, 8, async (item) => {
    expect(underWay.has(chainOf(item))).toBe(false);
    underWay.add(chainOf(item));
    await Promise.resolve();
    underWay.delete(chainOf(item));
    ended.push(item);
    return item.toUpperCase();
  });
  expect(results).toEqual(["A1", "B1", "A2", "C1", "A3", "B2"]);
  expect(ended.filter((item) => item.startsWith("a"))).toEqual(["a1", "a2", "a3"]);
});

test("runInChains() keeps to its window", async () => {
  let now = 0;
  let most = 0;
  await runInChains(["a", "b", "c", "d", "e"], chainOf, 2, async () => {
    most = Math.max(most, ++now);
    await Promise.resolve();
    now--;
  });
  expect(most).toBe(2);
});

test("runInChains() starts nothing of a chain behind a failure", async () => {
  const started: string[] = [];
  const run = runInChains(["a1", "a2", "a3"], chainOf, 4, async (item) => {
    started.push(item);
    if (item === "a2") throw new Error("no");
  });
  expect(run).rejects.toThrow("no");
  await run.catch(() => undefined);
  expect(started).toEqual(["a1", "a2"]);
});
