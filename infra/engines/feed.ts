const MAX_QUEUE = 10_000;

/** Tells every follower what is pushed, in order. A follower that is far behind loses the oldest. */
export class Feed<T> {
  readonly #followers = new Set<(value: T) => void>();

  push(value: T): void {
    for (const follower of this.#followers) follower(value);
  }

  /** What is pushed from this call on, until `signal` is aborted. */
  follow(signal: AbortSignal): AsyncGenerator<T> {
    const queue: T[] = [];
    let wake = (): void => undefined;
    const follower = (value: T): void => {
      if (queue.push(value) > MAX_QUEUE) queue.shift();
      wake();
    };
    const ended = (): void => wake();
    this.#followers.add(follower);
    signal.addEventListener("abort", ended, { once: true });
    const leave = (): void => {
      this.#followers.delete(follower);
      signal.removeEventListener("abort", ended);
    };
    return (async function* () {
      try {
        while (!signal.aborted) {
          const value = queue.shift();
          if (value === undefined) await new Promise<void>((resolve) => (wake = resolve));
          else yield value;
        }
      } finally {
        leave();
      }
    })();
  }
}
