/**
 * Rounds of reading: all timers that are near, page by page, over and over.
 *
 * Owns: where the next page begins, and when it is read. Does not own: the timers (`TimerService`).
 *
 * R1 one page is read at a time. A page that found no room in memory ends where that was, and goes on once there is room.
 * R2 what is passed over is come back to: a round begins again, at the latest, where the first of it stands.
 */
import type { Clock } from "../base/clock.ts";
import { compareText } from "../base/text-order.ts";
import type { TimerPlace } from "../ports/store.ts";

/** A page of a round, as it was read and taken. */
export interface TimerPage {
  /** Where it ended; `undefined`: at the end of what is near. */
  readonly end: TimerPlace | undefined;
  /** The first timer that found no room. */
  readonly leftOut: TimerPlace | undefined;
  /** Whether what it ended with is due already, so that the next one is wanted at once. */
  readonly late: boolean;
}

/** Pages are read again this often, which also finds timers that moved into the horizon. */
const EVERY_MS = 30_000;
/** While a round has not come to its end. */
const ON_MS = 1_000;

export class TimerRounds {
  readonly #clock: Clock;
  readonly #read: (after: TimerPlace | undefined) => Promise<TimerPage | undefined>;
  readonly #failed: (error: unknown) => void;
  /** Where the next page begins; `undefined`: at the first timer. */
  #next: TimerPlace | undefined;
  /** Where something was passed over while a page was read. */
  #missed: TimerPlace | undefined;
  #cancel: (() => void) | undefined;
  #dueAt = 0;
  #reading = false;
  /** Milliseconds from the end of the page that is being read. */
  #wanted = Number.POSITIVE_INFINITY;
  #waitsForRoom = false;
  #stopped = false;

  /** @param read reads and takes a page behind a place; `undefined`: there is nothing to read here now. */
  constructor(
    clock: Clock,
    read: (after: TimerPlace | undefined) => Promise<TimerPage | undefined>,
    failed: (error: unknown) => void,
  ) {
    this.#clock = clock;
    this.#read = read;
    this.#failed = failed;
  }

  /** Whether something waits in the store for which there was no room. */
  get waitsForRoom(): boolean {
    return this.#waitsForRoom;
  }

  /** Partitions were opened, and their first page was read. */
  opened({ end }: Pick<TimerPage, "end">): void {
    if (end !== undefined) this.#comeBackTo(end);
    this.#in(end === undefined ? EVERY_MS : ON_MS);
  }

  /** There was no room for a timer (TimerRounds.R2). */
  passedOver({ dueAt, type, key }: TimerPlace): void {
    this.#comeBackTo({ dueAt, type, key, name: "" });
    this.#waitsForRoom = true;
    this.#in(EVERY_MS);
  }

  /** There is room again. */
  room(): void {
    if (!this.#waitsForRoom) return;
    this.#waitsForRoom = false;
    this.#in(0);
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  #comeBackTo(place: TimerPlace): void {
    if (this.#next !== undefined && order(place, this.#next) < 0) this.#next = place;
    if (this.#reading && (this.#missed === undefined || order(place, this.#missed) < 0)) this.#missed = place;
  }

  #in(ms: number): void {
    if (this.#stopped) return;
    if (this.#reading) {
      this.#wanted = Math.min(this.#wanted, ms);
      return;
    }
    const dueAt = this.#clock.monotonic() + ms;
    if (this.#cancel !== undefined && this.#dueAt <= dueAt) return;
    this.#cancel?.();
    this.#dueAt = dueAt;
    this.#cancel = this.#clock.after(ms, () => void this.#turnPage());
  }

  async #turnPage(): Promise<void> {
    this.#cancel = undefined;
    if (this.#stopped) return;
    this.#reading = true;
    const after = this.#next;
    let pauseMs = EVERY_MS;
    try {
      const page = await this.#read(after);
      if (page !== undefined) pauseMs = this.#turned(page, after);
    } catch (error) {
      this.#failed(error);
    }
    this.#reading = false;
    if (this.#missed !== undefined) {
      this.#next = this.#next === undefined || order(this.#missed, this.#next) < 0 ? this.#missed : this.#next;
      this.#missed = undefined;
    }
    const wanted = Math.min(pauseMs, this.#wanted);
    this.#wanted = Number.POSITIVE_INFINITY;
    this.#in(wanted);
  }

  /** How long until the next page. */
  #turned({ end, leftOut, late }: TimerPage, after: TimerPlace | undefined): number {
    if (leftOut !== undefined) {
      this.#next = { dueAt: leftOut.dueAt, type: leftOut.type, key: leftOut.key, name: "" }; // TimerRounds.R1
      this.#waitsForRoom = true;
      return EVERY_MS;
    }
    this.#next = end;
    // A page that began behind others ends the round: what became near before it is read with the next one.
    if (end === undefined) return after === undefined ? EVERY_MS : ON_MS;
    return late ? 0 : ON_MS;
  }
}

function order(a: TimerPlace, b: TimerPlace): number {
  return a.dueAt - b.dueAt || compareText(a.type, b.type) || compareText(a.key, b.key) || compareText(a.name, b.name);
}
