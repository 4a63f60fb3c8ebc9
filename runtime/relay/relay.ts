/**
 * Carries the outbox of one store to one sink.
 *
 * Owns: which records were handed to the publisher, and the cursors. Does not own: the order within the sink's lane
 * (the publisher), when the table is read (`OutboxReader`), the rows (the lane writes them, housekeeping removes them).
 * Calls in: `open`, `close`, `written`, `replay`. Calls out: the sink's `publish`, through the publisher.
 *
 * R1 records of a partition are handed over in sequence order, each once per ownership.
 * R2 what is not in memory is read from the table: after a takeover, and after more has gathered than memory may hold.
 *    A partition is `live` again only when the table has nothing that was not handed over.
 * R3 a cursor is saved only after the acknowledgement: a crash repeats records, it never skips one (G6).
 * R4 what a sink does not take passes it by: it is never handed over, and whether the sink works is told by its own alone.
 * R5 nothing counts as acknowledged but what the sink said so of, record by record.
 */

import type { Clock } from "../base/clock.ts";
import { withDeadline } from "../base/deadline.ts";
import type { Randomness } from "../base/randomness.ts";
import { letterId } from "../dead-letters/letter.ts";
import type { DeadLetterRecorder } from "../dead-letters/recorder.ts";
import { TroupeError } from "../message/errors.ts";
import type { PartitionTable } from "../ownership/partition-table.ts";
import type { PublishResult, Sink, SinkLane } from "../ports/sink.ts";
import type { CommitBatch, CursorRow, DeadLetter, OutboxRecord, Store } from "../ports/store.ts";
import type { Buckets } from "../telemetry/buckets.ts";
import type { NodeMetrics } from "../telemetry/node-metrics.ts";
import type { NodeSpans } from "../telemetry/node-spans.ts";
import type { StoreLog } from "../telemetry/store-log.ts";
import { BatchPublisher } from "./batch-publisher.ts";
import { CursorTracker, ReplayTracker } from "./cursor-tracker.ts";
import { KeyedPublisher } from "./keyed-publisher.ts";
import { OutboxReader, type OutboxRead, type OutboxReaderHost } from "./outbox-reader.ts";
import { PartitionPublisher } from "./partition-publisher.ts";
import { type QueuedRecord, type Publisher, type PublisherHost } from "./publisher.ts";

/** What a relay works with. */
export interface RelayParts {
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly store: Store;
  readonly partitions: PartitionTable;
  readonly letters: DeadLetterRecorder;
  readonly log: StoreLog;
  readonly metrics: NodeMetrics | undefined;
  readonly spans: NodeSpans | undefined;
}

/** Records in memory per relay; beyond it commits are read from the table later (G9). */
const MAX_PENDING = 20_000;
/** Records that wait for targets which do not take them now (a paused actor): these must not use up what others need. */
const MAX_STALLED = 100_000;
/**
 * The table is read again while this many wait: more than any sink takes at once, so that its next batch is full, and
 * there while the read goes on.
 */
const LOW_WATER = 8_000;
/** Characters that wait in memory, about. */
const MAX_PENDING_LENGTH = 67_108_864;

export class Relay implements PublisherHost, OutboxReaderHost {
  readonly sink: Sink;
  readonly randomness: Randomness;
  stopped = false;
  /** The last failure, while it lasts. */
  failing: string | undefined;
  /** Since when, in milliseconds since 1970. */
  failingSince: number | undefined;
  readonly #parts: RelayParts;
  readonly #publisher: Publisher;
  readonly #reader: OutboxReader;
  readonly #published: Buckets | undefined;
  readonly #trackers = new Map<number, CursorTracker>();
  /** Records of dead letters on their way again, by the dead letter's id. */
  readonly #replays = new Map<string, ReplayTracker>();
  #wakeups = new Set<() => void>();

  constructor(sink: Sink, parts: RelayParts) {
    this.sink = sink;
    this.randomness = parts.randomness;
    this.#parts = parts;
    this.#published = parts.metrics?.publishing(sink.name);
    this.#publisher = publisherFor(sink.lane, this);
    this.#reader = new OutboxReader(this, parts.store, sink.accepts);
  }

  get pending(): number {
    let unread = 0;
    for (const tracker of this.#trackers.values()) {
      if (tracker.mode === "behind") unread += Math.max(0, this.lastSeq(tracker.partition) - tracker.offeredUpTo);
    }
    return this.#publisher.pending + unread;
  }

  /** The records in memory that bound how many more may come. */
  get #load(): number {
    const { pending, stalled } = this.#publisher;
    return stalled > MAX_STALLED ? pending : pending - stalled;
  }

  /** Starts to carry a partition, from where its saved cursor stands. */
  open(partition: number, cursor: number): void {
    const lastSeq = this.lastSeq(partition);
    const tracker = new CursorTracker(partition, cursor, lastSeq);
    if (cursor >= lastSeq) tracker.mode = "live";
    this.#trackers.set(partition, tracker);
    this.sink.moved?.(partition);
    this.#reader.read();
  }

  /** Stops to carry a partition. What is queued for it is passed over. */
  close(partition: number): void {
    const tracker = this.#trackers.get(partition);
    if (tracker !== undefined) tracker.closed = true;
    this.#trackers.delete(partition);
    this.sink.moved?.(partition);
  }

  /**
   * Stops to carry partitions in an orderly way: what is queued is passed over, what is under way to the sink is waited
   * for, up to `withinMs`: the next owner repeats as little as can be. Returns the cursors to save.
   */
  async withdraw(partitions: readonly number[], withinMs: number): Promise<CursorRow[]> {
    const trackers = partitions.flatMap((partition) => this.#trackers.get(partition) ?? []);
    for (const { partition } of trackers) this.close(partition);
    // A send may be waiting for one of these very partitions; its id makes a repeat harmless.
    if (this.sink.accepts === "event" && this.failing === undefined) {
      await withDeadline(this.#parts.clock, withinMs, (late) => Promise.race([this.#publisher.underWay(), late]));
    }
    return trackers.flatMap((tracker) => {
      const seq = tracker.takeUnsaved();
      return seq === undefined ? [] : [{ sink: this.sink.name, partition: tracker.partition, seq }];
    });
  }

  /** A commit wrote these records, of any kind; its fences tell how far each partition has got by it. */
  written(_turns: unknown, { outbox: records, fences }: Pick<CommitBatch, "outbox" | "fences">): void {
    const entries: QueuedRecord[] = [];
    const full = this.#load + records.length > MAX_PENDING || this.#isLong();
    for (const record of records) {
      const tracker = this.#trackers.get(record.partition);
      if (tracker === undefined || tracker.mode === "behind" || record.seq <= tracker.offeredUpTo) continue;
      if (full) {
        tracker.mode = "behind"; // Relay.R2
        continue;
      }
      if (record.kind !== this.sink.accepts || !this.#takes(record)) continue; // Relay.R4
      tracker.offered(record.seq, record.body.length);
      entries.push({ record, tracker });
    }
    for (const { partition, lastSeq } of fences) {
      const tracker = this.#trackers.get(partition);
      if (tracker?.mode === "live") tracker.offeredUpTo = Math.max(tracker.offeredUpTo, lastSeq);
    }
    if (entries.length > 0) this.#publisher.enqueue(entries);
    if (full) this.#reader.read();
  }

  /** Something of these partitions may not have been taken in: it is read from the table. */
  missed(partitions: readonly number[]): void {
    for (const partition of partitions) {
      const tracker = this.#trackers.get(partition);
      if (tracker !== undefined) tracker.mode = "behind"; // Relay.R2
    }
    this.#reader.read();
  }

  /** The cursors that moved since the last call. */
  takeCursors(): CursorRow[] {
    const rows: CursorRow[] = [];
    for (const tracker of this.#trackers.values()) {
      const seq = tracker.takeUnsaved();
      if (seq !== undefined) rows.push({ sink: this.sink.name, partition: tracker.partition, seq });
    }
    return rows;
  }

  /** How far it has got in each partition that this node holds, in order of the partition. */
  cursors(): readonly { readonly partition: number; readonly cursor: number; readonly last: number }[] {
    return [...this.#trackers.values()]
      .map(({ partition, cursor }) => ({ partition, cursor, last: this.lastSeq(partition) }))
      .toSorted((a, b) => a.partition - b.partition);
  }

  saveFailed(): void {
    for (const tracker of this.#trackers.values()) tracker.saveFailed();
  }

  /** Resolves when everything handed over was acknowledged, or the relay was stopped. */
  idle(): Promise<void> {
    return this.#publisher.idle();
  }

  stop(): void {
    this.stopped = true;
    for (const wake of this.#wakeups) wake();
  }

  // --- what the publisher needs ---

  now(): number {
    return this.#parts.clock.now();
  }

  async publish(records: readonly OutboxRecord[], attempt: number): Promise<readonly PublishResult[]> {
    const since = this.#published === undefined ? 0 : this.#parts.clock.monotonic();
    const spans = this.#parts.spans?.publish(this.sink, records, attempt, this.#parts.clock.now());
    let results: readonly PublishResult[];
    try {
      results = await this.sink.publish(records, attempt);
    } catch (error) {
      spans?.end(error);
      throw error;
    }
    spans?.end();
    this.#published?.add((this.#parts.clock.monotonic() - since) / 1_000);
    checkResults(this.sink.name, records.length, results); // Relay.R5
    return results;
  }

  mayPublish(): boolean {
    return this.#parts.partitions.holdsLease();
  }

  async isDeadLetter(record: OutboxRecord): Promise<boolean> {
    return (await this.#parts.store.deadLetter(letterId(this.sink.name, record))) !== undefined;
  }

  async recordDeadLetters(letters: readonly DeadLetter[]): Promise<void> {
    const kept = letters.filter((letter) => !this.#replays.get(letter.id)?.refused(letter.detail));
    if (kept.length > 0) await this.#parts.letters.record(kept);
  }

  /**
   * Publishes the record of a dead letter once more, in the order of its target with whatever else goes there.
   * Resolves when the sink has taken or refused it; rejects after `withinMs`, and then it is withdrawn.
   */
  replay(record: OutboxRecord, withinMs: number): Promise<PublishResult> {
    const id = letterId(this.sink.name, record);
    return new Promise((resolve, reject) => {
      const tracker = new ReplayTracker(record.partition, (result) => {
        cancel();
        this.#replays.delete(id);
        resolve(result);
      });
      const cancel = this.#parts.clock.after(withinMs, () => {
        tracker.closed = true;
        this.#replays.delete(id);
        reject(
          new TroupeError("unavailable", `Cannot publish ${record.name} as ${this.sink.name} does not take it now`),
        );
      });
      this.#replays.set(id, tracker);
      this.#publisher.enqueue([{ record, tracker }]);
    });
  }

  pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        cancel();
        this.#wakeups.delete(wake);
        resolve();
      };
      const cancel = this.#parts.clock.after(ms, wake);
      this.#wakeups.add(wake);
      if (this.stopped) wake();
    });
  }

  health(error: unknown): void {
    if (error === undefined) {
      if (this.failing !== undefined) this.#parts.log.sinkRecovered(this.sink.name);
      this.failing = undefined;
      this.failingSince = undefined;
      return;
    }
    const first = this.failing === undefined;
    this.failing = error instanceof Error ? error.message : String(error);
    if (!first) return;
    this.failingSince = this.#parts.clock.now();
    this.#parts.log.sinkFailed(this.sink.name, error);
  }

  drained(): void {
    if (this.hasRoom()) this.#reader.read();
  }

  // --- what the reader of the table needs ---

  behind(): readonly CursorTracker[] {
    return [...this.#trackers.values()].filter((tracker) => tracker.mode === "behind");
  }

  /** The last committed sequence number of a partition this node holds. */
  lastSeq(partition: number): number {
    return this.#parts.partitions.partition(partition)?.lastSeq ?? 0;
  }

  hasRoom(): boolean {
    return this.#load < LOW_WATER && !this.#isLong();
  }

  /** Whether what waits in memory is long, and some of it can be published: what waits for its target alone has its own bound. */
  #isLong(): boolean {
    if (this.#load === 0) return false;
    let length = 0;
    for (const tracker of this.#trackers.values()) length += tracker.outstandingLength;
    return length > MAX_PENDING_LENGTH;
  }

  /** A sink that cannot tell gets the record: what it says to that is its answer. */
  #takes(record: OutboxRecord): boolean {
    try {
      return this.sink.takes?.(record) !== false;
    } catch (error) {
      this.health(error);
      return true;
    }
  }

  take({ records, targets, limit }: OutboxRead): void {
    const entries: QueuedRecord[] = [];
    const counts = new Map<number, number>();
    for (const record of records) {
      counts.set(record.partition, (counts.get(record.partition) ?? 0) + 1);
      const tracker = this.#trackers.get(record.partition);
      if (tracker === undefined || !targets.has(tracker) || record.seq <= tracker.offeredUpTo) continue;
      if (!this.#takes(record)) {
        tracker.offeredUpTo = record.seq; // Relay.R4
        continue;
      }
      tracker.offered(record.seq, record.body.length);
      entries.push({ record, tracker });
    }
    for (const [tracker, target] of targets) {
      if (tracker.closed || (counts.get(tracker.partition) ?? 0) >= limit) continue;
      // Nothing of this kind is left up to where the partition stood before the read.
      tracker.offeredUpTo = Math.max(tracker.offeredUpTo, target);
      if (tracker.offeredUpTo >= this.lastSeq(tracker.partition)) tracker.mode = "live";
    }
    if (entries.length > 0) this.#publisher.enqueue(entries);
  }
}

const KINDS: ReadonlySet<string> = new Set<PublishResult["kind"]>(["acked", "refused", "held"]);

/** @throws {TypeError} the sink did not say of each record what became of it. */
function checkResults(sink: string, records: number, results: readonly PublishResult[]): void {
  if (results.length === records && results.every((result) => KINDS.has(result?.kind))) return;
  throw new TypeError(
    `Cannot tell what the sink "${sink}" took: expected acked, refused or held for each of ${records} records, received ${JSON.stringify(results.slice(0, 5))}`,
  );
}

function publisherFor(lane: SinkLane, host: PublisherHost): Publisher {
  switch (lane.kind) {
    case "batch":
      return new BatchPublisher(host, lane.maxBatch);
    case "keyed":
      return new KeyedPublisher(host, lane.maxInFlight);
    case "partitions":
      return new PartitionPublisher(host, lane.maxBatch);
  }
}
