interface Wanted<K, V> {
  readonly key: K;
  resolve(value: V): void;
  reject(error: unknown): void;
}

const MAX_READ = 500;

/**
 * Reads many with one query: while a read is under way, further requests gather for the next one. Two reads may run at once.
 */
export class BatchLoader<K, V> {
  readonly #read: (keys: readonly K[]) => Promise<readonly V[]>;
  #wanted: Wanted<K, V>[] = [];
  #running = 0;

  /** @param read answers one value for each key, in their order. */
  constructor(read: (keys: readonly K[]) => Promise<readonly V[]>) {
    this.#read = read;
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
      const batch = this.#wanted.splice(0, MAX_READ);
      try {
        const values = await this.#read(batch.map((wanted) => wanted.key));
        batch.forEach((wanted, i) => wanted.resolve(values[i] as V));
      } catch (error) {
        for (const wanted of batch) wanted.reject(error);
      }
    }
    this.#running--;
  }
}
