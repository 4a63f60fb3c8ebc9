import type { Clock } from "../base/clock.ts";
import { whenIdleNow } from "../base/event-loop.ts";

/** A clock that stands still until it is told to go on. What is due runs on the way, in order. */
export class TestClock implements Clock {
  #now: number;
  #monotonic = 0;
  #tasks: { readonly at: number; readonly task: () => void }[] = [];

  constructor(start: string) {
    this.#now = Date.parse(start);
  }

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#monotonic;
  }

  after(ms: number, task: () => void): () => void {
    const entry = { at: this.#monotonic + Math.max(0, ms), task };
    this.#tasks.push(entry);
    return () => {
      this.#tasks = this.#tasks.filter((other) => other !== entry);
    };
  }

  /** Lets `ms` pass, and everything that becomes ready in that time happen. */
  async pass(ms: number): Promise<void> {
    const end = this.#monotonic + ms;
    await settle(20);
    for (;;) {
      const next = this.#tasks.filter(({ at }) => at <= end).toSorted((a, b) => a.at - b.at)[0];
      const step = (next?.at ?? end) - this.#monotonic;
      this.#now += step;
      this.#monotonic += step;
      if (next === undefined) break;
      this.#tasks = this.#tasks.filter((other) => other !== next);
      next.task();
      await settle(3);
    }
    await settle(20);
  }

  /** Sets the wall clock, as an administrator or a time server does. No time passes. */
  jump(to: string): void {
    this.#now = Date.parse(to);
  }
}

/** What is ready runs to its end: a turn, its commit, what the commit sets off. */
async function settle(rounds: number): Promise<void> {
  for (let i = 0; i < rounds; i++) await whenIdleNow();
}
