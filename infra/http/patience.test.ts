import { expect, test } from "bun:test";
import { Patience } from "./patience.ts";

const doubled = (n: number): number => 2 * n;
const late = (ms: number): Error => new Error(`late after ${ms}`);
const failed = (error: unknown): Error => new Error(`failed with ${String(error)}`);

test("Patience.within() passes on what comes in time, and what fails", async () => {
  const patience = new Patience();
  expect(await patience.within(60_000, Promise.resolve(1), doubled, late, failed)).toBe(2);
  expect(patience.within(60_000, Promise.reject(new Error("x")), doubled, late, failed)).rejects.toThrow(
    "failed with Error: x",
  );
});

test("Patience.within() gives up what is late, each by its own time, and goes on with the others", async () => {
  const patience = new Patience();
  const never = new Promise<never>(() => undefined);
  const slow = Promise.withResolvers<number>();
  const other = patience.within(60_000, slow.promise, doubled, late, failed);
  await expect(patience.within(1, never, doubled, late, failed)).rejects.toThrow("late after 1");
  slow.resolve(2);
  expect(await other).toBe(4);
});
