/**
 * Publishes to a sink that takes batches: one batch under way at a time, so order needs no further care. What comes
 * meanwhile gathers and goes into the next batch.
 */
import { backoffMs } from "../base/backoff.ts";
import { deadLetter } from "../dead-letters/letter.ts";
import { type Parcel, type Publisher, type PublisherHost } from "./publisher.ts";

export class BatchPublisher implements Publisher {
  readonly #host: PublisherHost;
  readonly #maxBatch: number;
  #queue: Parcel[] = [];
  #inFlight = 0;
  #running: Promise<void> | undefined;
  #publishing: Promise<void> = Promise.resolve();

  constructor(host: PublisherHost, maxBatch: number) {
    this.#host = host;
    this.#maxBatch = maxBatch;
  }

  get pending(): number {
    return this.#queue.length + this.#inFlight;
  }

  /** A batch lane has no targets that wait on their own. */
  readonly stalled = 0;

  enqueue(parcels: readonly Parcel[]): void {
    for (const parcel of parcels) this.#queue.push(parcel);
    this.#running ??= this.#run();
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

  async #publish(batch: readonly Parcel[]): Promise<void> {
    const { sink } = this.#host;
    for (let attempt = 1; !this.#host.stopped; attempt++) {
      // Asked anew on every try: while a sink is down the partitions may move, and with them the duty to publish.
      const parcels = batch.filter((parcel) => !parcel.tracker.closed);
      if (parcels.length === 0) return;
      try {
        if (!this.#host.mayPublish()) throw new Error("the lease of this node has to be renewed first");
        const results = await this.#host.publish(
          parcels.map((parcel) => parcel.record),
          attempt,
        );
        const letters = parcels.flatMap(({ record }, i) => {
          const result = results[i];
          return result?.kind === "refused"
            ? [deadLetter(sink.name, record, result.detail, attempt, this.#host.now(), result.reason)]
            : [];
        });
        if (letters.length > 0) await this.#host.bury(letters);
        for (const { tracker, record } of parcels) tracker.acked(record.seq);
        this.#host.health(undefined);
        return;
      } catch (error) {
        this.#host.health(error);
        await this.#host.pause(backoffMs(attempt, this.#host.randomness, 50, 2_000));
      }
    }
  }
}
