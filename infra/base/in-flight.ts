import type { Handled } from "#runtime";

/** The messages that a consumer has handed over and that were not settled yet, by whatever names them at the broker. */
export class InFlight<Id> {
  readonly #messages = new Map<Id, Promise<void>>();
  #wake: (() => void)[] = [];

  get size(): number {
    return this.#messages.size;
  }

  has(id: Id): boolean {
    return this.#messages.has(id);
  }

  /** Follows a message to its end: `settle` is called with how it was handled, and may fail. */
  add(id: Id, handled: Promise<Handled>, settle: (handled: Handled) => Promise<void> | void): void {
    const settled = handled.then(settle).then(
      () => undefined,
      // The connection has gone meanwhile: the message comes again.
      () => undefined,
    );
    const ended = settled.then(() => {
      if (this.#messages.get(id) === ended) this.#messages.delete(id);
      for (const wake of this.#wake.splice(0)) wake();
    });
    this.#messages.set(id, ended);
  }

  /** Resolves when fewer than `limit` are left, or `signal` is aborted. */
  async below(limit: number, signal: AbortSignal): Promise<void> {
    while (this.#messages.size >= limit && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          signal.removeEventListener("abort", done);
          resolve();
        };
        this.#wake.push(done);
        signal.addEventListener("abort", done, { once: true });
      });
    }
  }

  /** Resolves when all are settled, or `withinMs` have passed. */
  async settled(withinMs: number): Promise<void> {
    if (this.#messages.size === 0 || withinMs <= 0) return;
    await this.below(1, AbortSignal.timeout(withinMs));
  }
}
