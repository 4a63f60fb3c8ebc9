import type { Clock } from "../base/clock.ts";
import { type Duration, durationMs } from "../base/duration.ts";
import { whenIdleNow } from "../base/event-loop.ts";

/** Rounds of the event loop after each timer: a turn, its commit and what the commit sets off take several. */
const ROUNDS = 4;

interface Waiting {
  readonly at: number;
  readonly task: () => void;
}

/**
 * A clock that stands still until it is turned. Give it to `createTroupe` and to `memory()`, so that leases are counted
 * by it too. A test of a timer in fifteen minutes then takes a fraction of a second, and is the same every time.
 *
 * @example
 * ```ts
 * const clock = new ManualClock();
 * const troupe = await createTroupe({ actors: [Counter], stores: { default: memory("test", clock) }, clock });
 * await troupe.ref(Counter, "visits").add({ by: 1 });
 * await clock.advance("15m"); // every timer due by then has fired, in order
 * await troupe.stop();
 * ```
 */
export class ManualClock implements Clock {
  readonly #waiting = new Set<Waiting>();
  #now: number;

  /** @param startMs the first reading, in milliseconds since the epoch. Default: the first of January 2026, UTC. */
  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#now = startMs;
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  after(ms: number, task: () => void): () => void {
    const waiting = { at: this.#now + Math.max(0, ms), task };
    this.#waiting.add(waiting);
    return () => void this.#waiting.delete(waiting);
  }

  /**
   * Turns the clock on. Whatever is due on the way runs at its own time, the earliest first, and may set new timers that
   * run too. Resolves when all of it, and what followed from it at once, has run.
   */
  async advance(by: Duration | number): Promise<void> {
    const end = this.#now + (typeof by === "number" ? by : durationMs(by));
    await settled();
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.#waiting.delete(next);
      this.#now = Math.max(this.#now, next.at);
      next.task();
      await settled();
    }
    this.#now = end;
  }

  /** The earliest that is due by `end`; of equal ones the one set first. */
  #next(end: number): Waiting | undefined {
    let first: Waiting | undefined;
    for (const waiting of this.#waiting) {
      if (waiting.at <= end && (first === undefined || waiting.at < first.at)) first = waiting;
    }
    return first;
  }
}

/** Resolves once everything that is ready to run has run: promise callbacks, commits in memory, and what they cause. */
export async function settled(): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) await whenIdleNow();
}
