import type { Clock } from "./clock.ts";

/** Something that is told when its time is over, unless it was taken off before. A link of the list it stands in. */
export interface Expiring {
  readonly deadline: number;
  expire(): void;
  list: DeadlineList | undefined;
  before: Expiring | undefined;
  after: Expiring | undefined;
}

const TICK_MS = 100;

/** Those that were given the same time: so they stand in the order of their deadlines. */
export class DeadlineList {
  first: Expiring | undefined;
  last: Expiring | undefined;
}

/**
 * Deadlines of many calls, or turns, with one timer. Nearly every one is answered long before, so adding and taking off must be
 * cheap, and one that is answered must leave nothing behind: there is a list for each length of time (in steps of 100 ms),
 * and only its front is looked at. A deadline may be noticed up to 200 ms late, never early.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #lists = new Map<number, DeadlineList>();
  #cancel: (() => void) | undefined;
  /** The list that was used last: most calls wait equally long. */
  #steps = -1;
  #list: DeadlineList | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** `timeoutMs`: from now to the deadline. */
  add(item: Expiring, timeoutMs: number): void {
    const steps = Math.ceil(timeoutMs / TICK_MS);
    if (steps !== this.#steps || this.#list === undefined) {
      this.#steps = steps;
      this.#list = this.#listOf(steps);
    }
    const list = this.#list;
    item.list = list;
    item.before = list.last;
    if (list.last === undefined) list.first = item;
    else list.last.after = item;
    list.last = item;
    if (this.#cancel === undefined) this.#wakeLater();
  }

  /** Does nothing when it was taken off before. */
  remove(item: Expiring): void {
    const { list, before, after } = item;
    if (list === undefined) return;
    if (before === undefined) list.first = after;
    else before.after = after;
    if (after === undefined) list.last = before;
    else after.before = before;
    item.list = undefined;
    item.before = undefined;
    item.after = undefined;
  }

  /** The node stops: what is still open expires now, as nobody would tell it later. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    for (const list of this.#lists.values()) this.#expire(list, Number.POSITIVE_INFINITY);
  }

  #tick(): void {
    this.#cancel = undefined;
    const now = this.#clock.monotonic();
    for (const [steps, list] of this.#lists) {
      this.#expire(list, now);
      if (list.first !== undefined) continue;
      this.#lists.delete(steps);
      if (this.#list === list) this.#list = undefined;
    }
    if (this.#lists.size > 0) this.#wakeLater();
  }

  /** A function of its own: its closure would cost every call that is added. */
  #wakeLater(): void {
    this.#cancel ??= this.#clock.after(TICK_MS, () => this.#tick());
  }

  #expire(list: DeadlineList, now: number): void {
    for (let item = list.first; item !== undefined && item.deadline <= now; item = list.first) {
      this.remove(item);
      item.expire();
    }
  }

  #listOf(steps: number): DeadlineList {
    let list = this.#lists.get(steps);
    if (list === undefined) {
      list = new DeadlineList();
      this.#lists.set(steps, list);
    }
    return list;
  }
}
