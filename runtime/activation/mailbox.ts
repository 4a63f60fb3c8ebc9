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

  constructor(max: number) {
    this.max = max;
  }

  get depth(): number {
    return this.#items.length - this.#head;
  }

  /** Adds an item, or returns `false` when the queue is full. */
  offer(item: T): boolean {
    if (this.depth >= this.max) return false;
    this.#items.push(item);
    return true;
  }

  /** The oldest item, removed; `undefined` when empty. */
  take(): T | undefined {
    if (this.#head === this.#items.length) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head++] = undefined;
    if (this.#head === this.#items.length) {
      this.#items.length = 0;
      this.#head = 0;
    } else if (this.#head >= 1024 && this.#head * 2 > this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  /** Takes out the oldest item that fits, wherever it stands: its place is free at once. */
  remove(fits: (item: T) => boolean): void {
    const at = this.#items.findIndex((item) => item !== undefined && fits(item));
    if (at >= 0) this.#items.splice(at, 1);
  }

  /** Takes out everything that waits, oldest first; with `fits`, only that, and the rest stays in its order. */
  drain(fits: (item: T) => boolean = () => true): T[] {
    const out: T[] = [];
    const left: T[] = [];
    for (const item of this.#items.slice(this.#head) as T[]) (fits(item) ? out : left).push(item);
    this.#items = left;
    this.#head = 0;
    return out;
  }
}
