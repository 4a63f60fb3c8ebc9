import type { PublishResult } from "../ports/sink.ts";

/**
 * How far one sink has got in one partition.
 *
 * C1 `cursor` only grows, and every record of the sink at or below it has been acknowledged or became a dead letter.
 */
export class CursorTracker {
  readonly partition: number;
  /** Records up to here were there before this ownership: the owner before may have handled them, and saved no cursor. */
  readonly inheritedUpTo: number;
  /** Closed when the partition moves away: records of it that are still queued are passed over. */
  closed = false;
  /** `behind`: commits are not taken from memory; the table is read from `offeredUpTo` on. */
  mode: "live" | "behind" = "behind";
  /** Every record up to here was handed to the publisher. */
  offeredUpTo: number;
  #saved: number;
  #outstanding: number[] = [];
  #head = 0;
  readonly #acked = new Set<number>();
  /** Characters of the records that were handed over and not acknowledged. */
  outstandingLength = 0;
  readonly #lengths = new Map<number, number>();

  constructor(partition: number, cursor: number, inheritedUpTo = 0) {
    this.partition = partition;
    this.inheritedUpTo = inheritedUpTo;
    this.offeredUpTo = cursor;
    this.#saved = cursor;
  }

  get cursor(): number {
    const first = this.#outstanding[this.#head];
    return first === undefined ? this.offeredUpTo : first - 1;
  }

  /** A record was handed to the publisher. Sequence numbers come in rising order. */
  offered(seq: number, length = 0): void {
    this.#lengths.set(seq, length);
    this.outstandingLength += length;
    this.#outstanding.push(seq);
    this.offeredUpTo = seq;
  }

  /** The sink is done with a record. May come out of order. */
  acked(seq: number): void {
    this.outstandingLength -= this.#lengths.get(seq) ?? 0;
    this.#lengths.delete(seq);
    this.#acked.add(seq);
    for (let first = this.#outstanding[this.#head]; first !== undefined && this.#acked.delete(first);) {
      first = this.#outstanding[++this.#head];
    }
    if (this.#head >= 1024 && this.#head * 2 > this.#outstanding.length) {
      this.#outstanding = this.#outstanding.slice(this.#head);
      this.#head = 0;
    }
  }

  /** The cursor, when it has moved since it was last taken to be saved. */
  takeUnsaved(): number | undefined {
    const { cursor } = this;
    if (cursor <= this.#saved) return undefined;
    this.#saved = cursor;
    return cursor;
  }

  /** A save failed: the next one has to write it again. */
  saveFailed(): void {
    this.#saved = -1;
  }
}

/** Stands in for a cursor while the record of a dead letter is published again: that record has its cursor behind it. */
export class ReplayTracker extends CursorTracker {
  readonly #done: (result: PublishResult) => void;
  #settled = false;

  constructor(partition: number, done: (result: PublishResult) => void) {
    super(partition, 0);
    this.#done = done;
  }

  override acked(): void {
    this.#settle({ kind: "acked" });
  }

  /** The sink refused it again: the dead letter stays as it is. */
  refused(detail: string): true {
    this.#settle({ kind: "refused", detail });
    return true;
  }

  #settle(result: PublishResult): void {
    if (this.#settled) return;
    this.#settled = true;
    this.#done(result);
  }
}
