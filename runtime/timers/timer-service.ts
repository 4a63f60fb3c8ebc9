/**
 * Fires the durable timers of the partitions this node holds.
 *
 * Owns: when a timer fires, and its tries. Does not own: the timer rows; a row is written and removed by the commits of
 * its actor, so that firing and acting are one thing.
 *
 * T1 a timer never fires early, by the runtime's clock, and fires again until a turn that handles it has committed (G7).
 * T2 only rows due within the horizon are in memory, and not more than fit; the rest is read when its time comes near, and
 *    there is room (`TimerRounds`).
 * T3 what a read shows counts only for timers that nothing was heard of since it was asked for: its answer may come after
 *    commits that moved or removed them.
 * T4 timers that cannot be fired now keep no other from its time: they are read past, give their place in memory to others,
 *    and so many turns of timers are under way at a time, no more: fewer where commits are slow, so that calls find room.
 */
import { backoffMs } from "../base/backoff.ts";
import type { Clock } from "../base/clock.ts";
import { Heap } from "../base/heap.ts";
import type { Randomness } from "../base/randomness.ts";
import type { PartitionListener } from "../ownership/partition-listener.ts";
import type { PartitionTable } from "../ownership/partition-table.ts";
import type { Partition } from "../ownership/partition.ts";
import type { ActorId, Store, TimerPlace, TimerRow, TimerWrite } from "../ports/store.ts";
import type { StoreLog } from "../telemetry/store-log.ts";
import { isSkipped } from "./schedule.ts";
import { timerId, TimerRead } from "./timer-read.ts";
import { type TimerPage, TimerRounds } from "./timer-rounds.ts";

/** What the timer service works with. */
export interface TimerServiceParts {
  readonly clock: Clock;
  readonly randomness: Randomness;
  readonly store: Store;
  readonly partitions: PartitionTable;
  readonly log: StoreLog;
}

/** Fires a timer, and knows what to do when that fails. */
export interface TimerFiring {
  /** How many turns of timers may be under way now, at most. */
  readonly room: number;
  /** Resolves when the timer's turn has committed; `attempt` counts from 1. A skipped tick only moves its timer on. */
  fire(timer: TimerRow, attempt: number, skip: boolean): Promise<void>;
  afterFailure(timer: TimerRow, attempt: number, error: unknown): Promise<TimerVerdict>;
}

/**
 * What to do about a failure. `retry`: again, as the next attempt; `wait`: again, as the attempt it was, since the turn
 * did not run; `skip`: this tick is over, on to the next; `drop`: nothing more to do here (a dead letter, a pause).
 */
export type TimerVerdict = "retry" | "wait" | "skip" | "drop";

const HORIZON_MS = 60_000;
const READ_LIMIT = 5_000;
/** Timers in memory, at most (T2), and how many are left when more are read. */
const MAX_IN_MEMORY = 50_000;
const LOW_WATER = 25_000;
/** Turns of timers under way at a time, at most (T4). */
const MAX_FIRING = 1_000;

/** Reads whose rows are not taken yet, at most. One whose rows nobody takes is forgotten in time. */
const MAX_READS = 64;

interface Entry {
  readonly timer: TimerRow;
  readonly readyAt: number;
  /** Which turn of this tick it will be, from 1. */
  readonly attempt: number;
  /** Failures of any kind so far: what the pause grows with. */
  readonly failures: number;
  /** The tick is over; what is left is to move the timer on. */
  readonly skip: boolean;
}

export class TimerService implements PartitionListener {
  readonly #parts: TimerServiceParts;
  #firing: TimerFiring | undefined;
  readonly #heap = new Heap<Entry>((entry) => entry.readyAt);
  /** The timers in memory by identity: the heap may hold older entries of the same name, which then count for nothing. */
  readonly #current = new Map<string, Entry>();
  readonly #underWay = new Set<string>();
  /** Timers in memory that wait for another try. */
  readonly #failing = new Set<string>();
  /** Reads that are under way, or whose answer was not taken yet. */
  readonly #reads = new Set<TimerRead>();
  readonly #rounds: TimerRounds;
  #cancelWake: (() => void) | undefined;
  #stopped = false;

  constructor(parts: TimerServiceParts) {
    this.#parts = parts;
    this.#rounds = new TimerRounds(
      parts.clock,
      (after) => this.#readPage(after),
      (error) => parts.log.failed("reading timers", error),
    );
  }

  /** From now on timers fire. To be called before the first partition is opened. */
  start(firing: TimerFiring): void {
    this.#firing = firing;
  }

  // --- PartitionListener ---

  async opening(partitions: readonly Partition[]): Promise<() => void> {
    const read = await this.#read(
      partitions.map(({ id }) => id),
      "opening",
    );
    return () => this.#load(read);
  }

  closing(ids: ReadonlySet<number>): void {
    this.closed(ids, "released");
  }

  async reopening(ids: ReadonlySet<number>): Promise<void> {
    this.#load(await this.#read([...ids], "again"));
  }

  /** The timers of partitions that moved are no longer this node's to fire. */
  closed(ids: ReadonlySet<number>, why: "fresh" | "lost" | "released"): void {
    for (const read of this.#reads) {
      // What is read to open them is of the ownership that begins now.
      if (why !== "fresh" || read.why !== "opening") for (const id of ids) read.left(id);
    }
    for (const [id, entry] of this.#current) if (ids.has(entry.timer.partition)) this.#drop(id);
  }

  // --- timers ---

  /** Reads the near timers of partitions. */
  #read(partitions: readonly number[], why: TimerRead["why"], after?: TimerPlace): Promise<TimerRead> {
    const before = this.#parts.clock.now() + HORIZON_MS;
    return this.#reading(why, () => this.#parts.store.timers(partitions, before, READ_LIMIT, after));
  }

  /** Takes what `#read` found. A full page means that there is more. */
  #load(read: TimerRead): void {
    const leftOut = this.#take(read);
    this.#rounds.opened({ end: read.rows.length < READ_LIMIT ? undefined : read.rows.at(-1) });
    if (leftOut !== undefined) this.#rounds.passedOver(leftOut);
  }

  /** A page of a round that goes through all near timers, however many of them cannot be fired (T4). */
  async #readPage(after: TimerPlace | undefined): Promise<TimerPage | undefined> {
    const owned = this.#parts.partitions.held();
    if (owned.length === 0) return undefined;
    const read = await this.#read(owned, "again", after);
    const { rows } = read;
    const end = rows.length < READ_LIMIT ? undefined : rows.at(-1);
    const leftOut = this.#take(read);
    // Where many fail, reading faster would only read them more often.
    const late = this.#failing.size < READ_LIMIT && end !== undefined && end.dueAt <= this.#parts.clock.now();
    return { end, leftOut, late };
  }

  /** A commit wrote these, as a commit listener is told. */
  written(_turns: unknown, { timers: writes }: { readonly timers: readonly TimerWrite[] }): void {
    if (writes.length === 0) return;
    const horizon = this.#parts.clock.now() + HORIZON_MS;
    for (const write of writes) {
      const id = timerId(write, write.name);
      for (const read of this.#reads) read.touch(id); // T3
      if (write.dueAt === undefined || write.dueAt > horizon) this.#drop(id);
      else if (this.#current.has(id) || this.#hasRoom()) this.#put(fresh(write)); // also at the same due time: the message may be another one
      else this.#rounds.passedOver(write);
    }
    this.#arm();
  }

  /** Whether a timer with this due time is the one that counts, as far as is committed. */
  isCurrent(actor: ActorId, name: string, dueAt: number): boolean {
    return this.#current.get(timerId(actor, name))?.timer.dueAt === dueAt;
  }

  /**
   * An actor's timers may fire again: reads all that it has, and takes the near ones. Each anew, as a firing that was turned
   * away may not have come to its end yet: what it says of its own timer counts for nothing then.
   */
  async resume(actor: ActorId): Promise<void> {
    const read = await this.#reading("again", () => this.#parts.store.timersOf(actor));
    this.#reads.delete(read);
    const horizon = this.#parts.clock.now() + HORIZON_MS;
    for (const row of read.current()) if (row.dueAt < horizon && this.#holds(row)) this.#put(fresh(row));
    this.#arm();
  }

  /** Timers whose time has come, and whose turn has not ended yet. */
  get due(): number {
    const now = this.#parts.clock.now();
    let due = 0;
    for (const { timer } of this.#current.values()) if (timer.dueAt <= now) due++;
    return due;
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelWake?.();
    this.#rounds.stop();
  }

  #holds({ partition }: TimerRow): boolean {
    return this.#parts.partitions.partition(partition) !== undefined;
  }

  async #reading(why: TimerRead["why"], rows: () => Promise<readonly TimerRow[]>): Promise<TimerRead> {
    const read = new TimerRead(why);
    this.#reads.add(read);
    if (this.#reads.size > MAX_READS) {
      const [oldest] = this.#reads;
      oldest?.spoil();
      if (oldest !== undefined) this.#reads.delete(oldest);
    }
    try {
      read.rows = await rows();
      return read;
    } catch (error) {
      this.#reads.delete(read);
      throw error;
    }
  }

  /** Takes the rows in their order, up to the first for which there is no room: that one is returned. */
  #take(read: TimerRead): TimerRow | undefined {
    this.#reads.delete(read);
    const leftOut = read.current().find((row) => this.#holds(row) && !this.#offer(row));
    this.#arm();
    return leftOut;
  }

  /** `false`: there is no room for it (T2): what is here fires first. */
  #offer(timer: TimerRow): boolean {
    const here = this.#current.get(timerId(timer, timer.name));
    // A re-read row that is already here keeps its place and its count of tries.
    if (here?.timer.dueAt === timer.dueAt) return true;
    if (here === undefined && !this.#hasRoom()) return false;
    this.#put(fresh(timer));
    return true;
  }

  /** Whether memory takes one more; one that waits for another try gives its place (T4). */
  #hasRoom(): boolean {
    if (this.#current.size < MAX_IN_MEMORY) return true;
    const [waiting] = this.#failing;
    if (waiting === undefined) return false;
    this.#drop(waiting);
    return true;
  }

  #put(entry: Entry): void {
    const id = timerId(entry.timer, entry.timer.name);
    this.#current.set(id, entry);
    if (entry.failures > 0) this.#failing.add(id);
    else this.#failing.delete(id);
    this.#heap.push(entry);
  }

  #drop(id: string): void {
    this.#current.delete(id);
    this.#failing.delete(id);
    if (this.#rounds.waitsForRoom && this.#current.size <= LOW_WATER) this.#rounds.room();
  }

  #arm(): void {
    this.#cancelWake?.();
    this.#cancelWake = undefined;
    const next = this.#heap.peek();
    if (next === undefined || this.#stopped) return;
    this.#cancelWake = this.#parts.clock.after(Math.max(0, next.readyAt - this.#parts.clock.now()), () =>
      this.#fireDue(),
    );
  }

  #fireDue(): void {
    const now = this.#parts.clock.now();
    // TimerService.T1: a wake-up that came a little early finds nothing due, and arms again.
    for (let next = this.#heap.peek(); next !== undefined && next.readyAt <= now; next = this.#heap.peek()) {
      if (this.#isFull()) return; // T4: the next one that ends goes on
      this.#heap.take();
      const id = timerId(next.timer, next.timer.name);
      if (this.#current.get(id) === next && !this.#underWay.has(id)) void this.#fire(id, next);
    }
    this.#arm();
  }

  async #fire(id: string, entry: Entry): Promise<void> {
    this.#underWay.add(id);
    const { timer, attempt } = entry;
    try {
      const skip = entry.skip || (attempt === 1 && this.#isMissed(timer));
      await this.#firing?.fire(timer, attempt, skip);
      // Its commit removed or replaced the row and told `written`; a message that was dropped as stale did neither.
      if (this.#current.get(id) === entry) this.#drop(id);
    } catch (error) {
      if (this.#stopped) return;
      const verdict = (await this.#firing?.afterFailure(timer, attempt, error).catch(() => undefined)) ?? "wait";
      if (this.#current.get(id) !== entry) return;
      if (verdict === "drop" || !this.#holds(timer)) this.#drop(id);
      else this.#put(this.#again(entry, verdict));
    } finally {
      const full = this.#isFull();
      this.#underWay.delete(id);
      const latest = this.#current.get(id);
      // Set anew while its last firing was still under way: the heap entry was passed over, so offer it again.
      if (latest !== undefined && latest !== entry) this.#heap.push(latest);
      if (full) this.#fireDue();
      else this.#arm();
    }
  }

  #isFull(): boolean {
    return this.#underWay.size >= Math.min(MAX_FIRING, this.#firing?.room ?? 0);
  }

  #again(entry: Entry, verdict: Exclude<TimerVerdict, "drop">): Entry {
    const now = this.#parts.clock.now();
    if (verdict === "skip" && !entry.skip) return { ...entry, readyAt: now, failures: 0, skip: true };
    const failures = entry.failures + 1;
    const attempt = verdict === "retry" ? entry.attempt + 1 : entry.attempt;
    return { ...entry, readyAt: now + backoffMs(failures, this.#parts.randomness), attempt, failures };
  }

  #isMissed({ schedule, dueAt }: TimerRow): boolean {
    return schedule !== undefined && isSkipped(schedule, dueAt, this.#parts.clock.now());
  }
}

function fresh(timer: TimerRow): Entry {
  return { timer, readyAt: timer.dueAt, attempt: 1, failures: 0, skip: false };
}
