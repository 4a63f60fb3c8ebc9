/**
 * The actors in memory on one node, in order of their last use, and the bound on their number (G9).
 *
 * Owns: who was used last, and who has to go. Does not own: the actors; one that has to go is told, and takes itself out
 * by `remove`. Calls in: `add`, `touch`, `remove`, `sweep`. Calls out: `Resident.leave`.
 *
 * R1 a touch costs the same however many actors there are: the order is a chain through the actors themselves.
 * R2 only quiet actors are told to go: while more than `max` are busy, there are more than `max`.
 */

import type { LeaveReason } from "../actor/life.ts";
import type { Clock } from "../base/clock.ts";

/** An actor in memory, as a link of the chain. `older`, `newer` and `lastUsed` are written here alone. */
export interface LruEntry {
  readonly idleMs: number;
  /** Whether nothing would be lost if it left now. */
  readonly quiet: boolean;
  lastUsed: number;
  older: LruEntry | undefined;
  newer: LruEntry | undefined;
  leave(reason: LeaveReason): void;
}

/** Busy actors passed over by one `trim`: bounds what adding one actor may cost. */
const MAX_PASSED = 100;

export class ActorLru {
  readonly max: number;
  readonly #clock: Clock;
  #oldest: LruEntry | undefined;
  #newest: LruEntry | undefined;
  #size = 0;
  #evicted = 0;

  /** @throws {RangeError} when `max` is no whole number above 0. */
  constructor(max: number, clock: Clock) {
    if (!Number.isInteger(max) || max < 1)
      throw new RangeError(`Cannot keep ${max} actors in memory: expected maxActiveActors to be 1 or more`);
    this.max = max;
    this.#clock = clock;
  }

  get size(): number {
    return this.#size;
  }

  /** How many left because memory held more than `max`. */
  get evicted(): number {
    return this.#evicted;
  }

  add(resident: LruEntry): void {
    this.#append(resident);
    this.#size++;
    if (this.#size > this.max) this.#trim(resident);
  }

  /** It was used now. */
  touch(resident: LruEntry, now = this.#clock.monotonic()): void {
    if (resident === this.#newest) {
      resident.lastUsed = now;
      return;
    }
    this.#unlink(resident);
    this.#append(resident, now);
  }

  /** It has left memory. Called once for each that was added. */
  remove(resident: LruEntry): void {
    this.#unlink(resident);
    resident.older = undefined;
    resident.newer = undefined;
    this.#size--;
  }

  /** Tells those to go that were not used for their idle time. `shortestIdleMs`: no actor's idle time is below it. */
  sweep(shortestIdleMs: number): void {
    const now = this.#clock.monotonic();
    for (let resident = this.#oldest; resident !== undefined;) {
      const { lastUsed, idleMs, newer } = resident;
      if (now - lastUsed < shortestIdleMs) break; // so have all newer ones
      if (now - lastUsed >= idleMs && resident.quiet) resident.leave("idle");
      resident = newer;
    }
    if (this.#size > this.max) this.#trim();
  }

  /** Makes room by those that were not used for longest, but not by `added`: it is about to get its first message. */
  #trim(added?: LruEntry): void {
    for (let passed = 0; this.#size > this.max && passed < MAX_PASSED;) {
      const resident = this.#oldest;
      if (resident === undefined) return;
      if (resident.quiet && resident !== added) {
        this.#evicted++;
        resident.leave("memory");
      } else {
        // R2. What is busy is being used: out of the way, so that the next trim meets others.
        this.touch(resident);
        passed++;
      }
    }
  }

  #append(resident: LruEntry, now = this.#clock.monotonic()): void {
    resident.lastUsed = now;
    resident.older = this.#newest;
    resident.newer = undefined;
    if (this.#newest === undefined) this.#oldest = resident;
    else this.#newest.newer = resident;
    this.#newest = resident;
  }

  #unlink({ older, newer }: LruEntry): void {
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
  }
}
