import type { Clock } from "../clock.ts";
import { whenIdleNow } from "../event-loop.ts";

/** A clock that stands still until it is told to go on. Tasks that become due run in the order of their times. */
export class ManualClock implements Clock {
  #now = 1_700_000_000_000;
  readonly #tasks = new Set<{ readonly dueAt: number; readonly task: () => void }>();

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  after(ms: number, task: () => void): () => void {
    const entry = { dueAt: this.#now + ms, task };
    this.#tasks.add(entry);
    return () => void this.#tasks.delete(entry);
  }

  /** Lets `ms` pass; after each task everything that it made ready runs first. */
  async advance(ms: number): Promise<void> {
    const end = this.#now + ms;
    await settled();
    for (;;) {
      let next: { readonly dueAt: number; readonly task: () => void } | undefined;
      for (const entry of this.#tasks) if (next === undefined || entry.dueAt < next.dueAt) next = entry;
      if (next === undefined || next.dueAt > end) break;
      this.#tasks.delete(next);
      this.#now = Math.max(this.#now, next.dueAt);
      next.task();
      await settled();
    }
    this.#now = end;
  }
}

/** Lets everything that is ready run: promise callbacks, and the commit lane's turn of the event loop. */
export async function settled(): Promise<void> {
  for (let i = 0; i < 3; i++) await whenIdleNow();
}
