interface Wanted<K, V> {
  readonly key: K;
  resolve(value: V): void;
  reject(error: unknown): void;
}

const MAX_READ = 500;
/** What one read brings, in characters, about. */
const READ_LENGTH = 16_777_216;
/** What a value is taken to be long before the first one was read. */
const FIRST_LENGTH = 100_000;

/**
 * Reads many with one query: while a read is under way, further requests gather for the next one. Two reads may run at once.
 */
export class BatchLoader<K, V> {
  readonly #read: (keys: readonly K[]) => Promise<readonly V[]>;
  #wanted: Wanted<K, V>[] = [];
  #running = 0;

  readonly #lengthOf: (value: V) => number;
  #meanLength = FIRST_LENGTH;

  /**
   * @param read answers one value for each key, in their order.
   * @param lengthOf how long a value is, in characters: fewer are read at a time where they are long.
   */
  constructor(read: (keys: readonly K[]) => Promise<readonly V[]>, lengthOf: (value: V) => number) {
    this.#read = read;
    this.#lengthOf = lengthOf;
  }

  load(key: K): Promise<V> {
    return new Promise((resolve, reject) => {
      this.#wanted.push({ key, resolve, reject });
      if (this.#running < 2) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#running++;
    await Promise.resolve();
    while (this.#wanted.length > 0) {
      const most = Math.max(1, Math.min(MAX_READ, Math.floor(READ_LENGTH / this.#meanLength)));
      const batch = this.#wanted.splice(0, most);
      try {
        const values = await this.#read(batch.map((wanted) => wanted.key));
        const length = values.reduce((sum, value) => sum + this.#lengthOf(value), 0);
        this.#meanLength = Math.max(length / batch.length, this.#meanLength / 4, 1);
        batch.forEach((wanted, i) => wanted.resolve(values[i] as V));
      } catch (error) {
        for (const wanted of batch) wanted.reject(error);
      }
    }
    this.#running--;
  }
}
