/**
 * Reads from the table what a relay does not have in memory (`Relay.R2`).
 *
 * Owns: when the table is read, of which partitions, and how many rows at a time. Does not own: how far each partition
 * has got (`CursorTracker`), and what becomes of the records (`Relay`).
 * Calls in: `read`. Calls out: the store's `readOutbox`, and the relay's `take`.
 */

import { backoffMs } from "../base/backoff.ts";
import type { Randomness } from "../base/randomness.ts";
import type { OutboxKind, OutboxRecord, Store } from "../ports/store.ts";
import type { CursorTracker } from "./cursor-tracker.ts";

/** Rows that one read brings at most. */
const READ_ROWS = 8_000;
/** Characters that one read brings, about. */
const READ_LENGTH = 16_777_216;
/** What a record is taken to be long before the first one was read. */
const FIRST_LENGTH = 500_000;

/** What was read: the records, and up to where each of the partitions was read. */
export interface OutboxRead {
  readonly records: readonly OutboxRecord[];
  /** Where each partition stood before the read. */
  readonly targets: ReadonlyMap<CursorTracker, number>;
  /** A partition with fewer records than this has no others up to its target. */
  readonly limit: number;
}

/** What the reader needs from its relay. */
export interface OutboxReaderHost {
  readonly randomness: Randomness;
  readonly stopped: boolean;
  /** The partitions of which the table has records that were not handed over. */
  behind(): readonly CursorTracker[];
  /** The last committed sequence number of a partition this node holds. */
  lastSeq(partition: number): number;
  /** Whether memory takes more records. */
  hasRoom(): boolean;
  /** Hands over what was read. */
  take(read: OutboxRead): void;
  /** The last read failed. */
  health(error: unknown): void;
  /** A pause that the end of the relay cuts short. */
  pause(ms: number): Promise<void>;
}

export class OutboxReader {
  readonly #host: OutboxReaderHost;
  readonly #store: Store;
  readonly #kind: OutboxKind;
  #reading = false;
  #meanLength = FIRST_LENGTH;
  #round = 0;

  /** @param kind the records that the sink accepts. */
  constructor(host: OutboxReaderHost, store: Store, kind: OutboxKind) {
    this.#host = host;
    this.#store = store;
    this.#kind = kind;
  }

  /** Reads while a partition is behind and memory has room. Does nothing while a read is under way. */
  read(): void {
    if (this.#reading || this.#host.stopped) return;
    this.#reading = true;
    void this.#readAll().finally(() => {
      this.#reading = false;
      // A partition may have been opened between the last look and here.
      if (this.#host.behind().length > 0 && this.#host.hasRoom()) this.read();
    });
  }

  async #readAll(): Promise<void> {
    await Promise.resolve(); // several `open` calls in a row share one read
    let failures = 0;
    while (!this.#host.stopped && this.#host.hasRoom()) {
      const all = this.#host.behind();
      if (all.length === 0) return;
      const { targets, positions, limit } = this.#next(all);
      try {
        const records = await this.#store.readOutbox(this.#kind, positions, limit);
        this.#measure(records);
        this.#host.take({ records, targets, limit });
        failures = 0;
      } catch (error) {
        this.#host.health(error);
        await this.#host.pause(backoffMs(++failures, this.#host.randomness));
      }
    }
  }

  /** What to read next. As many rows as memory should take at a time: of fewer partitions, where records have been long. */
  #next(all: readonly CursorTracker[]) {
    const rows = Math.max(1, Math.min(READ_ROWS, Math.floor(READ_LENGTH / this.#meanLength)));
    const count = Math.min(all.length, Math.max(1, Math.floor(rows / 20)));
    const from = (this.#round++ * count) % all.length; // each has its turn
    const behind = [...all.slice(from), ...all.slice(0, from)].slice(0, count);
    return {
      limit: Math.max(1, Math.min(READ_ROWS, Math.floor(rows / behind.length))),
      targets: new Map(behind.map((tracker) => [tracker, this.#host.lastSeq(tracker.partition)])),
      positions: behind.map(({ partition, offeredUpTo }) => ({ partition, after: offeredUpTo })),
    };
  }

  /** How long records are: found out carefully, and forgotten slowly. */
  #measure(records: readonly OutboxRecord[]): void {
    const length = records.reduce((sum, { body }) => sum + body.length, 0);
    this.#meanLength = Math.max(length / Math.max(1, records.length), this.#meanLength / 8, 100);
  }
}
