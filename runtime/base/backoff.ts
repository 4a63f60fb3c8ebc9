import type { Randomness } from "./randomness.ts";

/** The pause before try `attempt + 1`, in milliseconds: doubling from `firstMs` up to `maxMs`, spread by ±20 %. */
export function backoffMs(attempt: number, randomness: Randomness, firstMs = 100, maxMs = 10_000): number {
  const base = Math.min(maxMs, firstMs * 2 ** Math.min(attempt - 1, 20));
  return base * (0.8 + randomness.fraction() * 0.4);
}
