interface Waiting {
  readonly until: number;
  late(): void;
}

/** How often it is looked who has waited too long. */
const LOOK_MS = 250;

/**
 * Bounds how long things are waited for, one timer for all of them: a timer for each would cost more than most of them take.
 * What is late is told so up to a quarter of a second after its time, never before it.
 */
export class Patience {
  readonly #waiting = new Set<Waiting>();
  #timer: ReturnType<typeof setInterval> | undefined;

  /**
   * What `read` makes of the outcome of `work`. Rejects with what `failed` makes of its error, and with `late` where it takes
   * longer than `ms`.
   */
  within<T, R>(
    ms: number,
    work: Promise<T>,
    read: (value: T) => R,
    late: (ms: number) => Error,
    failed: (error: unknown) => Error,
  ): Promise<R> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { until: performance.now() + ms, late: () => reject(late(ms)) };
      this.#add(waiting);
      work.then(
        (value) => {
          this.#waiting.delete(waiting);
          resolve(read(value));
        },
        (error: unknown) => {
          this.#waiting.delete(waiting);
          reject(failed(error));
        },
      );
    });
  }

  #add(waiting: Waiting): void {
    this.#waiting.add(waiting);
    this.#timer ??= setInterval(() => this.#look(), LOOK_MS);
  }

  #look(): void {
    const now = performance.now();
    for (const waiting of this.#waiting) {
      if (waiting.until > now) continue;
      this.#waiting.delete(waiting);
      waiting.late();
    }
    if (this.#waiting.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
