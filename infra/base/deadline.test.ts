import { expect, test } from "bun:test";
import { within } from "./deadline.ts";

const late = (): Error => new Error("late");

test("within() passes on what comes in time, a value or an error", async () => {
  expect(await within(1_000, Promise.resolve(1), late)).toBe(1);
  expect(await within(1_000, Promise.reject(new Error("no")), late).catch(String)).toBe("Error: no");
});

test("within() rejects with its own error when the time is over, and hears of nothing after that", async () => {
  const work = Promise.withResolvers<never>();
  expect(await within(1, work.promise, late).catch(String)).toBe("Error: late");
  work.reject(new Error("unheard")); // an unhandled rejection would fail the test
  await new Promise((resolve) => setImmediate(resolve));
});
