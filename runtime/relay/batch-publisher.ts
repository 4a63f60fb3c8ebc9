/**
 * Publishes to a sink that takes batches: one batch under way at a time, so order needs no further care. What comes
 * meanwhile gathers and goes into the next batch.
 *
 * A target that the sink holds waits here with all that is behind it, for pauses of its own, while others go on (G8).
 */
import { backoffMs } from "../base/backoff.ts";
import { deadLetter } from "../dead-letters/letter.ts";
import type { DeadLetter } from "../ports/store.ts";
import { type QueuedRecord, type Publisher, type PublisherHost } from "./publisher.ts";

export class BatchPublisher implements Publisher {
  readonly #host: PublisherHost;
  readonly #maxBatch: number;
  #queue: QueuedRecord[] = [];
  #inFlight = 0;
  /** What waits for each target that is held, in order. */
  readonly #held = new Map<string, QueuedRecord[]>();
  #stalled = 0;
  /** How often in a row each of them was held. */
  readonly #holds = new Map<string, number>();
  #running: Promise<void> | undefined;
  #publishing: Promise<void> = Promise.resolve();

  constructor(host: PublisherHost, maxBatch: number) {
    this.#host = host;
    this.#maxBatch = maxBatch;
  }

  get pending(): number {
    return this.#queue.length + this.#inFlight + this.#stalled;
  }

  get stalled(): number {
    return this.#stalled;
  }

  enqueue(entries: readonly QueuedRecord[]): void {
    for (const entry of entries) {
      if (!this.#waits(entry)) this.#queue.push(entry);
    }
    if (this.#queue.length > 0) this.#running ??= this.#run();
  }

  underWay(): Promise<void> {
    return this.#publishing;
  }

  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async #run(): Promise<void> {
    await Promise.resolve();
    while (this.#queue.length > 0 && !this.#host.stopped) {
      const batch = this.#queue.splice(0, this.#maxBatch);
      this.#inFlight = batch.length;
      await (this.#publishing = this.#publish(batch));
      this.#inFlight = 0;
      this.#host.drained();
    }
    this.#running = undefined;
  }

  async #publish(batch: readonly QueuedRecord[]): Promise<void> {
    for (let attempt = 1; !this.#host.stopped; attempt++) {
      // Asked anew on every try: while a sink is down the partitions may move, and with them the duty to publish.
      const entries = batch.filter((entry) => !entry.tracker.closed);
      if (entries.length === 0) return;
      try {
        if (!this.#host.mayPublish()) throw new Error("the lease of this node has to be renewed first");
        await this.#hand(entries, attempt);
        this.#host.health(undefined);
        return;
      } catch (error) {
        this.#host.health(error);
        await this.#host.pause(backoffMs(attempt, this.#host.randomness, 50, 2_000));
      }
    }
  }

  /** @throws what the sink throws, and when a dead letter could not be kept: then all of it is tried again. */
  async #hand(entries: readonly QueuedRecord[], attempt: number): Promise<void> {
    const { sink } = this.#host;
    const results = await this.#host.publish(
      entries.map(({ record }) => record),
      attempt,
    );
    const letters = entries.flatMap(({ record }, i): DeadLetter[] => {
      const result = results[i];
      if (result?.kind !== "refused") return [];
      return [
        deadLetter(sink.name, record, result.detail, result.attempts ?? attempt, this.#host.now(), result.reason),
      ];
    });
    if (letters.length > 0) await this.#host.recordDeadLetters(letters);
    const held = entries.filter((entry, i) => {
      if (results[i]?.kind === "held") return true;
      entry.tracker.acked(entry.record.seq);
      this.#holds.delete(entry.record.target);
      return false;
    });
    if (held.length > 0) this.#hold(held);
  }

  #hold(entries: readonly QueuedRecord[]): void {
    for (const entry of entries) {
      if (this.#waits(entry)) continue;
      const { target } = entry.record;
      this.#held.set(target, [entry]);
      this.#stalled++;
      void this.#release(target);
    }
    this.#queue = this.#queue.filter((entry) => !this.#waits(entry));
  }

  /** Puts a record behind what is held of its target. `false`: nothing is. */
  #waits(entry: QueuedRecord): boolean {
    const waiting = this.#held.get(entry.record.target);
    if (waiting === undefined) return false;
    waiting.push(entry);
    this.#stalled++;
    return true;
  }

  async #release(target: string): Promise<void> {
    const holds = (this.#holds.get(target) ?? 0) + 1;
    this.#holds.set(target, holds);
    await this.#host.pause(backoffMs(holds, this.#host.randomness, 50, 5_000));
    const waiting = this.#held.get(target) ?? [];
    this.#held.delete(target);
    this.#stalled -= waiting.length;
    const left = waiting.filter(({ tracker }) => !tracker.closed);
    if (left.length === 0) this.#holds.delete(target);
    if (!this.#host.stopped) this.enqueue(left);
    this.#host.drained();
  }
}
