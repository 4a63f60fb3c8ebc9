import { uuidv7 } from "./ids.ts";

/** Chance, so that tests can own it. */
export interface Randomness {
  /** At least 0 and below 1. Spreads pauses. */
  fraction(): number;
  /** A UUIDv7 of the moment `nowMs` (milliseconds since the epoch); a later one sorts behind an earlier one. */
  uuid(nowMs: number): string;
}

/** The machine's. */
export const systemRandomness: Randomness = { fraction: () => Math.random(), uuid: uuidv7 };
