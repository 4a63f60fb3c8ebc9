import { expect, test } from "bun:test";
import { Together } from "./together.ts";

test("Together hands on what comes in one moment in one call, in its order, and what comes later in another", async () => {
  const calls: number[][] = [];
  const together = new Together<number, number>(async (items) => {
    calls.push([...items]);
    return items.map((item) => item * 2);
  });
  expect(await Promise.all([1, 2, 3].map((item) => together.add(item)))).toEqual([2, 4, 6]);
  // As callers do that go on with the answers of one call.
  expect(await Promise.all([4, 5].map(async (item) => together.add(await together.add(item))))).toEqual([16, 20]);
  expect(calls).toEqual([
    [1, 2, 3],
    [4, 5],
    [8, 10],
  ]);
});

test("Together rejects those whose answer is an error, and all where the call fails", async () => {
  const some = new Together<number, string>(async (items) => items.map((n) => (n === 2 ? new Error("two") : "well")));
  const answers = await Promise.allSettled([1, 2, 3].map((item) => some.add(item)));
  expect(answers.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  const none = new Together<number, string>(() => Promise.reject(new Error("away")));
  const failed = await Promise.allSettled([1, 2].map((item) => none.add(item)));
  expect(failed.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
});
