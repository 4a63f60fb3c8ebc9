import { withResolvers } from "#runtime/internal";

interface Waiting<Item, Result> {
  readonly item: Item;
  resolve(result: Result): void;
  reject(error: unknown): void;
}

/**
 * Hands on together what is handed over in the same moment: callers that each have one item share a round trip. Nobody waits
 * for others to come.
 */
export class Together<Item, Result> {
  readonly #handle: (items: readonly Item[]) => Promise<readonly (Result | Error)[]>;
  #waiting: Waiting<Item, Result>[] = [];

  /** @param handle answers each item in its place; what it rejects with is the answer to all. */
  constructor(handle: (items: readonly Item[]) => Promise<readonly (Result | Error)[]>) {
    this.#handle = handle;
  }

  /** Resolves with the answer to this item. @throws where the answer is an error. */
  add(item: Item): Promise<Result> {
    const { promise, resolve, reject } = withResolvers<Result>();
    if (this.#waiting.push({ item, resolve, reject }) === 1) queueMicrotask(() => void this.#handOn());
    return promise;
  }

  async #handOn(): Promise<void> {
    const waiting = this.#waiting;
    this.#waiting = [];
    try {
      const answers = await this.#handle(waiting.map(({ item }) => item));
      waiting.forEach(({ resolve, reject }, i) => {
        const answer = answers[i];
        if (answer instanceof Error) reject(answer);
        else resolve(answer as Result);
      });
    } catch (error) {
      for (const { reject } of waiting) reject(error);
    }
  }
}
