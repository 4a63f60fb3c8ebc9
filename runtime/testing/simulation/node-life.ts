import type { Clock } from "../../base/clock.ts";
import type { Troupe } from "../../node/troupe.ts";
import type { Envelope } from "../../ports/envelope.ts";
import type { WireReply } from "../../ports/transport.ts";
import type { SeededRandom } from "./seeded-random.ts";
import type { VirtualTime } from "./virtual-time.ts";

/** The calendar time at which simulations begin. */
export const EPOCH_MS = Date.UTC(2026, 0, 1);

/**
 * One life of a node: from its start to its end, under an id of its own.
 *
 * Owns: whether the node gets to run. Everything that a node waits for goes through `after`, so that a paused node finds
 * all of it at once when it wakes, and a dead one never hears of it.
 */
export class NodeLife {
  readonly id: string;
  readonly slot: number;
  readonly clock: Clock;
  /** Set once the node has started. */
  troupe: Troupe | undefined;
  /** Takes calls from other nodes. */
  serve: ((envelope: Envelope) => Promise<WireReply>) | undefined;
  /** Told when the node dies: whoever waits for an answer of this node. */
  readonly mourners = new Set<() => void>();
  /** The turn that ended last, by actor. */
  readonly ended = new Map<string, number>();
  /** The numbers of turns that made no version, and those of them that the next commit holds. */
  readonly unchanged = new WeakMap<object, number>();
  committingUnchanged: readonly number[] = [];
  /** Commits that have not been answered yet. */
  committing = 0;
  alive = true;
  stopping = false;
  readonly #time: VirtualTime;
  #paused = false;
  #deferred: (() => void)[] = [];

  constructor(slot: number, count: number, time: VirtualTime, random: SeededRandom, skewMs: number) {
    this.slot = slot;
    this.id = `n${slot + 1}.${count}`;
    this.#time = time;
    const bootMs = random.between(0, 1_000_000);
    this.clock = {
      now: () => Math.floor(EPOCH_MS + time.now + skewMs),
      monotonic: () => bootMs + time.now,
      after: (ms, task) => this.after(ms, task),
      idle: () => new Promise((resolve) => void this.after(random.fraction() * 0.2, resolve)),
    };
  }

  get up(): boolean {
    return this.alive && !this.stopping && this.troupe !== undefined;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** Runs `task` in this node after `ms`: later when it is paused then, never when it is dead. Returns the cancel. */
  after(ms: number, task: () => void): () => void {
    let wanted: (() => void) | undefined = task;
    const cancel = this.#time.after(ms, () => this.#run(() => wanted?.()));
    return () => {
      wanted = undefined;
      cancel();
    };
  }

  /** Waits in this node: for ever, when it is dead by then. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => void this.after(ms, resolve));
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    for (const task of this.#deferred.splice(0)) this.#time.after(0, () => this.#run(task));
  }

  /** The node is no more. What it had sent is on its way all the same. */
  die(): void {
    this.alive = false;
    this.#deferred = [];
    for (const tell of this.mourners) tell();
    this.mourners.clear();
  }

  #run(task: () => void): void {
    if (!this.alive) return;
    if (this.#paused) this.#deferred.push(task);
    else task();
  }
}

/** Never settles: what a dead node waits for. */
export function never<T>(): Promise<T> {
  return new Promise<T>(() => undefined);
}
