import type { ActorId, TimerRow } from "../ports/store.ts";

/** Timers that were heard of while a read was under way, at most: beyond it the read shows nothing. */
const MAX_TOUCHED = 50_000;

/** What a read of timers has found, and what was heard of while it was under way (`TimerService.T3`). */
export class TimerRead {
  rows: readonly TimerRow[] = [];
  readonly why: "opening" | "again";
  #spoilt = false;
  readonly #touched = new Set<string>();
  readonly #moved = new Set<number>();

  constructor(why: TimerRead["why"]) {
    this.why = why;
  }

  /** A timer was written, or is not fired here any more. */
  touch(id: string): void {
    this.#touched.add(id);
    if (this.#touched.size > MAX_TOUCHED) this.spoil();
  }

  /** It is not worth to remember what has come meanwhile: it shows nothing, and the next regular read does. */
  spoil(): void {
    this.rows = [];
    this.#spoilt = true;
    this.#touched.clear();
  }

  /** A partition left this node. */
  left(partition: number): void {
    this.#moved.add(partition);
  }

  /** The rows that count. */
  current(): readonly TimerRow[] {
    if (this.#spoilt) return [];
    if (this.#touched.size === 0 && this.#moved.size === 0) return this.rows;
    return this.rows.filter((row) => !this.#touched.has(timerId(row, row.name)) && !this.#moved.has(row.partition));
  }
}

/** What tells a timer from all others of its store. */
export function timerId(actor: ActorId, name: string): string {
  return `${actor.type}/${actor.key}\u0000${name}`;
}
