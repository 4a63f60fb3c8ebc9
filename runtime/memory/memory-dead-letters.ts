import type {
  DeadLetter,
  DeadLetterChange,
  DeadLetterCount,
  DeadLetterFilter,
  DeadLetterReason,
  DeadLetterSummary,
  DeadLetterWindow,
  StoredDeadLetter,
} from "../ports/dead-letters.ts";

/** The dead letters of a store in memory, in the order they were recorded. */
export class MemoryDeadLetters {
  readonly #letters = new Map<string, StoredDeadLetter>();
  readonly #counts = new Map<DeadLetterReason, number>();
  readonly #claims = new Map<string, { readonly owner: string; readonly until: number }>();
  #last = 0;

  get last(): number {
    return this.#last;
  }

  record(letters: readonly DeadLetter[]): void {
    for (const letter of letters) {
      if (this.#letters.has(letter.id)) continue;
      this.#letters.set(letter.id, { ...letter, key: letter.key ?? letter.target, position: ++this.#last });
      this.#count(letter.reason, 1);
    }
  }

  list(filter: DeadLetterFilter, { limit, after, upTo = Infinity }: DeadLetterWindow): StoredDeadLetter[] {
    const found: StoredDeadLetter[] = [];
    for (const letter of this.#letters.values()) {
      if (found.length === limit || letter.position > upTo) break;
      if (letter.position > after && fits(letter, filter)) found.push(letter);
    }
    return found;
  }

  get(id: string): StoredDeadLetter | undefined {
    return this.#letters.get(id);
  }

  keysOf(filter: DeadLetterFilter, keys: readonly string[], upTo: number): string[] {
    const wanted = new Set(keys);
    const found = new Set<string>();
    for (const letter of this.#letters.values()) {
      if (letter.position > upTo) break;
      if (wanted.has(letter.key) && fits(letter, filter)) found.add(letter.key);
    }
    return [...found];
  }

  counts(): DeadLetterCount[] {
    return [...this.#counts].map(([reason, count]) => ({ reason, count }));
  }

  summarize(filter: DeadLetterFilter): DeadLetterSummary[] {
    const found = new Map<string, DeadLetterSummary>();
    for (const letter of this.#letters.values()) {
      if (!fits(letter, filter)) continue;
      const { reason, at } = letter;
      const { count, oldest, newest } = found.get(reason) ?? { count: 0, oldest: at, newest: at };
      found.set(reason, { reason, count: count + 1, oldest: Math.min(oldest, at), newest: Math.max(newest, at) });
    }
    return [...found.values()];
  }

  amend(id: string, was: string, change: DeadLetterChange): boolean {
    const letter = this.#letters.get(id);
    if (letter?.record !== was) return false;
    this.#letters.set(id, { ...letter, ...change });
    return true;
  }

  remove(ids: readonly string[]): number {
    let removed = 0;
    for (const id of ids) {
      const letter = this.#letters.get(id);
      if (letter === undefined) continue;
      this.#letters.delete(id);
      this.#count(letter.reason, -1);
      removed++;
    }
    return removed;
  }

  /** @param now of a clock that never goes back. */
  claim(keys: readonly string[], owner: string, forMs: number, now: number): string[] {
    return [...new Set(keys)].filter((key) => {
      const known = this.#claims.get(key);
      if (known !== undefined && known.owner !== owner && known.until > now) return false;
      this.#claims.set(key, { owner, until: now + forMs });
      return true;
    });
  }

  release(keys: readonly string[], owner: string): void {
    for (const key of keys) if (this.#claims.get(key)?.owner === owner) this.#claims.delete(key);
  }

  #count(reason: DeadLetterReason, by: number): void {
    const count = (this.#counts.get(reason) ?? 0) + by;
    if (count === 0) this.#counts.delete(reason);
    else this.#counts.set(reason, count);
  }
}

function fits(letter: StoredDeadLetter, { reason, type, key, from, before }: DeadLetterFilter): boolean {
  return (
    (reason === undefined || letter.reason === reason) &&
    (type === undefined || letter.type === type) &&
    (key === undefined || letter.key === key) &&
    (from === undefined || letter.at >= from) &&
    (before === undefined || letter.at < before)
  );
}
