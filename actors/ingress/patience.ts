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

  /** What `work` resolves with, unless it takes longer than `ms`: then it rejects with what `late` says. */
  within<T>(ms: number, work: Promise<T>, late: (ms: number) => Error): Promise<T> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = { until: performance.now() + ms, late: () => reject(late(ms)) };
      this.#add(waiting);
      work.then(
        (value) => {
          this.#waiting.delete(waiting);
          resolve(value);
        },
        (error: unknown) => {
          this.#waiting.delete(waiting);
          reject(error as Error);
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
