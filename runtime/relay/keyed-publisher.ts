/**
 * Publishes to a sink that takes records one by one: many under way at once, but one at a time per `target`, so that a
 * target that is slow or fails holds up nobody else (G8).
 */
import { backoffMs } from "../base/backoff.ts";
import { deadLetter } from "../dead-letters/letter.ts";
import { type QueuedRecord, type Publisher, type PublisherHost } from "./publisher.ts";

export class KeyedPublisher implements Publisher {
  readonly #host: PublisherHost;
  readonly #maxInFlight: number;
  /** Waiting entries by target. A target with an entry here has one in flight, or stands in `#ready`. */
  readonly #chains = new Map<string, QueuedRecord[]>();
  #ready: string[] = [];
  #inFlight = 0;
  #pending = 0;
  readonly #tries = new Set<Promise<boolean>>();
  /** Targets in a pause after a try that did not succeed, and how many entries stand in their chains. */
  readonly #pausing = new Set<string>();
  #stalled = 0;
  #idlers: (() => void)[] = [];

  constructor(host: PublisherHost, maxInFlight: number) {
    this.#host = host;
    this.#maxInFlight = maxInFlight;
  }

  get pending(): number {
    return this.#pending;
  }

  get stalled(): number {
    return this.#stalled;
  }

  enqueue(entries: readonly QueuedRecord[]): void {
    for (const entry of entries) {
      const { target } = entry.record;
      const chain = this.#chains.get(target);
      if (chain === undefined) {
        this.#chains.set(target, [entry]);
        this.#ready.push(target);
      } else {
        chain.push(entry);
      }
      this.#pending++;
      if (this.#pausing.has(target)) this.#stalled++;
    }
    this.#pump();
  }

  async underWay(): Promise<void> {
    await Promise.all(this.#tries);
  }

  async idle(): Promise<void> {
    if (this.#atRest || this.#host.stopped) return;
    await new Promise<void>((resolve) => this.#idlers.push(resolve));
  }

  /** Nothing is under way or could be: what is left waits for a target that does not take it now. */
  get #atRest(): boolean {
    return this.#inFlight === 0 && this.#ready.length === 0;
  }

  #pump(): void {
    while (this.#inFlight < this.#maxInFlight && this.#ready.length > 0 && !this.#host.stopped) {
      const target = this.#ready.shift() as string;
      const entry = this.#chains.get(target)?.[0];
      if (entry === undefined) continue;
      this.#inFlight++;
      void this.#deliver(target, entry);
    }
    if (this.#atRest || this.#host.stopped) {
      for (const resolve of this.#idlers.splice(0)) resolve();
    }
  }

  async #deliver(target: string, entry: QueuedRecord): Promise<void> {
    for (let attempt = 1; !this.#host.stopped && !entry.tracker.closed; attempt++) {
      const trying = this.#try(entry, attempt);
      this.#tries.add(trying);
      const done = await trying;
      this.#tries.delete(trying);
      if (done) break;
      // The place in flight is given up during the pause: failing targets must not use up all of them.
      this.#inFlight--;
      this.#pausing.add(target);
      this.#stalled += this.#chains.get(target)?.length ?? 0;
      this.#pump();
      await this.#host.pause(backoffMs(attempt, this.#host.randomness, 50, 5_000));
      this.#pausing.delete(target);
      this.#stalled -= this.#chains.get(target)?.length ?? 0;
      this.#inFlight++;
    }
    const chain = this.#chains.get(target);
    chain?.shift();
    if (chain === undefined || chain.length === 0) this.#chains.delete(target);
    else this.#ready.push(target);
    this.#inFlight--;
    this.#pending--;
    this.#host.drained();
    this.#pump();
  }

  async #try({ record, tracker }: QueuedRecord, attempt: number): Promise<boolean> {
    const { sink } = this.#host;
    try {
      if (!this.#host.mayPublish()) return false;
      // What was refused for good stays refused: asked again it might be taken now, behind what came after it.
      const mayBeOver = attempt === 1 && record.kind === "send" && record.seq <= tracker.inheritedUpTo;
      if (mayBeOver && (await this.#host.isDeadLetter(record))) {
        tracker.acked(record.seq);
        return true;
      }
      const [result] = await this.#host.publish([record], attempt);
      if (result?.kind === "held") return false;
      if (result?.kind === "refused") {
        const attempts = result.attempts ?? attempt;
        await this.#host.recordDeadLetters([
          deadLetter(sink.name, record, result.detail, attempts, this.#host.now(), result.reason),
        ]);
      }
      tracker.acked(record.seq);
      this.#host.health(undefined);
      return true;
    } catch (error) {
      this.#host.health(error);
      return false;
    }
  }
}
