/** Types that had a queue. One that has none any more may get it back: queues are deleted, and bindings lost, by accident. */
export class KnownRoutes {
  readonly #patienceMs: number;
  /** When an event of the type first came back since it last had a queue; 0: it has one. */
  readonly #lostAt = new Map<string, number>();

  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs;
  }

  /** An event of the type got to a queue. */
  routed(type: string): void {
    if (this.#lostAt.get(type) === 0) return;
    if (this.#lostAt.size >= MAX_TYPES) this.#lostAt.clear();
    this.#lostAt.set(type, 0);
  }

  /** An event of the type came back. Answers whether it is worth to wait: it had a queue before, not too long ago. */
  mayComeBack(type: string): boolean {
    const lostAt = this.#lostAt.get(type);
    if (lostAt === undefined) return false;
    const now = performance.now();
    if (lostAt === 0) this.#lostAt.set(type, now);
    else if (now - lostAt >= this.#patienceMs) this.#lostAt.delete(type);
    return this.#lostAt.has(type);
  }
}

const MAX_TYPES = 10_000;
