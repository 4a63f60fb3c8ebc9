import type { Clock } from "./clock.ts";

/** Something that must be told when its time is over, unless it was settled before. */
export interface Expiring {
  readonly deadline: number;
  readonly settled: boolean;
  expire(): void;
}

const TICK_MS = 100;

/**
 * Deadlines of many calls with one timer. Nearly every call is settled before the next tick, so a new one is only put
 * down; what is still open at the tick is sorted by its deadline. A deadline may be noticed up to 100 ms late, never early.
 */
export class Deadlines {
  readonly #clock: Clock;
  #fresh: Expiring[] = [];
  readonly #slots = new Map<number, Expiring[]>();
  #cancel: (() => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(item: Expiring): void {
    this.#fresh.push(item);
    this.#cancel ??= this.#clock.after(TICK_MS, () => this.#tick());
  }

  /** The node stops: what is still open expires now, as nobody would tell it later. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    const open = [...this.#fresh, ...[...this.#slots.values()].flat()];
    this.#fresh = [];
    this.#slots.clear();
    for (const item of open) if (!item.settled) item.expire();
  }

  #tick(): void {
    this.#cancel = undefined;
    const now = this.#clock.monotonic();
    const fresh = this.#fresh;
    this.#fresh = [];
    for (const item of fresh) if (!item.settled) this.#keep(item);
    for (const [slot, items] of this.#slots) {
      if (slot * TICK_MS > now) continue;
      this.#slots.delete(slot);
      for (const item of items) if (!item.settled) item.expire();
    }
    if (this.#slots.size > 0 || this.#fresh.length > 0) {
      this.#cancel ??= this.#clock.after(TICK_MS, () => this.#tick());
    }
  }

  #keep(item: Expiring): void {
    const slot = Math.ceil(item.deadline / TICK_MS);
    const items = this.#slots.get(slot);
    if (items === undefined) this.#slots.set(slot, [item]);
    else items.push(item);
  }
}
