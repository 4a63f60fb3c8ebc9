import { BatchPublisher } from "./batch-publisher.ts";
import type { QueuedRecord, Publisher, PublisherHost } from "./publisher.ts";

/**
 * Publishes to a sink that keeps a place of its own in every partition: batches of one partition, one under way at a time
 * for each, so that a partition that fails holds up no other (G8).
 */
export class PartitionPublisher implements Publisher {
  readonly #host: PublisherHost;
  readonly #maxBatch: number;
  readonly #partitions = new Map<number, BatchPublisher>();
  /** Partitions whose last try failed: the sink is well again when none is left. */
  readonly #failing = new Set<number>();

  constructor(host: PublisherHost, maxBatch: number) {
    this.#host = host;
    this.#maxBatch = maxBatch;
  }

  get pending(): number {
    let sum = 0;
    for (const publisher of this.#partitions.values()) sum += publisher.pending;
    return sum;
  }

  get stalled(): number {
    let sum = 0;
    for (const partition of this.#failing) sum += this.#partitions.get(partition)?.pending ?? 0;
    return sum;
  }

  enqueue(entries: readonly QueuedRecord[]): void {
    const groups = new Map<number, QueuedRecord[]>();
    for (const entry of entries) {
      const { partition } = entry.record;
      const group = groups.get(partition);
      if (group === undefined) groups.set(partition, [entry]);
      else group.push(entry);
    }
    for (const [partition, group] of groups) {
      let publisher = this.#partitions.get(partition);
      if (publisher === undefined) {
        publisher = new BatchPublisher(this.#hostOf(partition), this.#maxBatch);
        this.#partitions.set(partition, publisher);
      }
      publisher.enqueue(group);
    }
  }

  async underWay(): Promise<void> {
    await Promise.all([...this.#partitions.values()].map((publisher) => publisher.underWay()));
  }

  async idle(): Promise<void> {
    const working = [...this.#partitions].filter(([partition]) => !this.#failing.has(partition));
    await Promise.all(working.map(([, publisher]) => publisher.idle()));
  }

  #hostOf(partition: number): PublisherHost {
    const host = this.#host;
    const failing = this.#failing;
    return {
      sink: host.sink,
      randomness: host.randomness,
      get stopped() {
        return host.stopped;
      },
      publish: (records, attempt) => host.publish(records, attempt),
      mayPublish: () => host.mayPublish(),
      isDeadLetter: (record) => host.isDeadLetter(record),
      recordDeadLetters: (letters) => host.recordDeadLetters(letters),
      now: () => host.now(),
      pause: (ms) => host.pause(ms),
      drained() {
        // A partition that has moved away while it failed leaves without a word.
        if (failing.delete(partition) && failing.size === 0) host.health(undefined);
        host.drained();
      },
      health(error) {
        if (error === undefined) failing.delete(partition);
        else failing.add(partition);
        if (error !== undefined || failing.size === 0) host.health(error);
      },
    };
  }
}
