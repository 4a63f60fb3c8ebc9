/** How often things failed in a row, by name. Bounded: beyond `max` names all begin to count anew. */
export class Tries {
  readonly #max: number;
  readonly #counts = new Map<string, number>();

  constructor(max = 10_000) {
    this.#max = max;
  }

  has(name: string): boolean {
    return this.#counts.size > 0 && this.#counts.has(name);
  }

  /** One more failure. Answers how many there were by now. */
  failed(name: string): number {
    const count = (this.#counts.get(name) ?? 0) + 1;
    if (count === 1 && this.#counts.size >= this.#max) this.#counts.clear();
    this.#counts.set(name, count);
    return count;
  }

  /** It succeeded, or was given up. */
  forget(name: string): void {
    if (this.#counts.size > 0) this.#counts.delete(name);
  }
}
