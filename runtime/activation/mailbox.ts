/** Where several mailboxes count what they hold together. */
export interface WaitingCount {
  waiting: number;
}

/**
 * A bounded first-in first-out queue.
 *
 * M1: it never holds more than `max` items (G9). M2: items leave in the order they came.
 */
export class Mailbox<T> {
  readonly max: number;
  // A head index instead of shift(): taking from the front stays O(1) however long the queue is.
  #items: (T | undefined)[] = [];
  #head = 0;

  readonly #count: WaitingCount;

  constructor(max: number, count: WaitingCount = { waiting: 0 }) {
    this.max = max;
    this.#count = count;
  }

  get depth(): number {
    return this.#items.length - this.#head;
  }

  /** Adds an item, or returns `false` when the queue is full. */
  offer(item: T): boolean {
    if (this.depth >= this.max) return false;
    this.#items.push(item);
    this.#count.waiting++;
    return true;
  }

  /** The oldest item, removed; `undefined` when empty. */
  take(): T | undefined {
    if (this.#head === this.#items.length) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head++] = undefined;
    this.#count.waiting--;
    if (this.#head === this.#items.length) {
      this.#items.length = 0;
      this.#head = 0;
    } else if (this.#head >= 1024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  has(item: T): boolean {
    return this.#items.includes(item);
  }

  /** Takes out the oldest item that fits, wherever it stands: its place is free at once. */
  remove(fits: (item: T) => boolean): void {
    const at = this.#items.findIndex((item) => item !== undefined && fits(item));
    if (at < 0) return;
    this.#items.splice(at, 1);
    this.#count.waiting--;
  }

  /** Takes out everything that waits, oldest first; with `fits`, only that, and the rest stays in its order. */
  drain(fits: (item: T) => boolean = () => true): T[] {
    const out: T[] = [];
    const left: T[] = [];
    for (const item of this.#items.slice(this.#head) as T[]) (fits(item) ? out : left).push(item);
    this.#items = left;
    this.#head = 0;
    this.#count.waiting -= out.length;
    return out;
  }
}
