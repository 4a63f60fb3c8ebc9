import type { Clock } from "./clock.ts";

/** Something that must be told when its time is over. */
export interface Expiring {
  readonly deadline: number;
  expire(): void;
}

const TICK_MS = 100;

/**
 * Deadlines of many calls with one timer: a call costs an insertion and a removal, not a timer of its own. A deadline
 * may be noticed up to 100 ms late, never early.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #slots = new Map<number, Set<Expiring>>();
  #cancel: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(item: Expiring): void {
    const slot = slotOf(item.deadline);
    const items = this.#slots.get(slot);
    if (items === undefined) this.#slots.set(slot, new Set([item]));
    else items.add(item);
    this.#cancel ??= this.#clock.after(TICK_MS, () => this.#tick());
  }

  remove(item: Expiring): void {
    this.#slots.get(slotOf(item.deadline))?.delete(item);
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #tick(): void {
    this.#cancel = undefined;
    const now = this.#clock.monotonic();
    for (const [slot, items] of this.#slots) {
      if (slot * TICK_MS > now) continue;
      this.#slots.delete(slot);
      for (const item of items) item.expire();
    }
    if (this.#slots.size > 0) this.#cancel = this.#clock.after(TICK_MS, () => this.#tick());
  }
}

function slotOf(deadline: number): number {
  return Math.ceil(deadline / TICK_MS);
}
