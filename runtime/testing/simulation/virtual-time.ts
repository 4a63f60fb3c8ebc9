/**
 * Time that passes only when there is nothing left to do in it.
 *
 * Owns: the order of everything that happens in a simulation. One event runs at a time, then every promise callback it
 * caused, then the next event: where a promise waits for an event, the order of events is the order of everything.
 */
import { whenIdleNow } from "../../base/event-loop.ts";
import { Heap } from "../../base/heap.ts";

interface Event {
  readonly atMs: number;
  readonly rank: number;
  task: (() => void) | undefined;
}

const ORDERS = 1e7;

export class VirtualTime {
  /** Milliseconds since the simulation began. */
  now = 0;
  /** Events that ran so far. */
  events = 0;
  #order = 0;
  readonly #heap = new Heap<Event>((event) => event.rank);

  /** Runs `task` once after `ms`; what is due at the same time runs in the order it was asked for. Returns the cancel. */
  after(ms: number, task: () => void): () => void {
    const atMs = this.now + Math.max(0, ms);
    // One number orders by time, in steps of 10 µs, and then by the order of asking.
    const event: Event = { atMs, rank: Math.ceil(atMs * 100) * ORDERS + this.#order++, task };
    this.#heap.push(event);
    return () => {
      event.task = undefined;
    };
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.after(ms, resolve));
  }

  /**
   * Lets time pass until `done`.
   * @throws {Error} when nothing is left to happen, or at `limitMs`: whatever `done` waits for will not come.
   */
  async run(done: () => boolean, limitMs: number): Promise<void> {
    await whenIdleNow();
    while (!done()) {
      const event = this.#heap.take();
      if (event === undefined) throw new Error("Cannot go on with the simulation as nothing is left to happen");
      if (event.task === undefined) continue;
      if (event.atMs > limitMs) {
        throw new Error(
          `Cannot end the simulation within ${limitMs} ms of its own time: does the workload wait for something outside?`,
        );
      }
      this.now = Math.max(this.now, event.atMs);
      this.events++;
      event.task();
      await whenIdleNow();
    }
  }
}
