import { expect, test } from "bun:test";
import { Patience } from "./patience.ts";

const late = (ms: number): Error => new Error(`late after ${ms}`);

test("Patience.within() passes on what comes in time, and what fails", async () => {
  const patience = new Patience();
  expect(await patience.within(60_000, Promise.resolve(1), late)).toBe(1);
  expect(patience.within(60_000, Promise.reject(new Error("broken")), late)).rejects.toThrow("broken");
});

test("Patience.within() gives up what is late, each by its own time, and goes on with the others", async () => {
  const patience = new Patience();
  const never = new Promise<never>(() => undefined);
  const slow = Promise.withResolvers<string>();
  const other = patience.within(60_000, slow.promise, late);
  await expect(patience.within(1, never, late)).rejects.toThrow("late after 1");
  slow.resolve("in time");
  expect(await other).toBe("in time");
});
