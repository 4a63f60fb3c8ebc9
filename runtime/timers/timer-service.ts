/**
 * Fires the durable timers of the partitions this node holds.
 *
 * Owns: when a timer fires, and its tries. Does not own: the timer rows; a row is written and removed by the commits of
 * its actor, so that firing and acting are one thing.
 *
 * T1 a timer never fires early, by the runtime's clock, and fires again until a turn that handles it has committed (G7).
 * T2 only rows due within the horizon are in memory, and not more than fit; the rest is read when its time comes near.
 * T3 what a read shows counts only for timers that nothing was heard of since it was asked for: its answer may come after
 *    commits that moved or removed them.
 * T4 timers that cannot be fired now keep no other from its time: they are read past, give their place in memory to others,
 *    and so many turns of timers are under way at a time, no more.
 */
import { backoffMs } from "../base/backoff.ts";
import type { Clock } from "../base/clock.ts";
import { Heap } from "../base/heap.ts";
import type { Randomness } from "../base/randomness.ts";
import type { ActorId, TimerPlace, TimerRow, TimerWrite } from "../ports/store.ts";
import { isSkipped } from "./schedule.ts";

export interface TimerHost {
  readonly clock: Clock;
  readonly randomness: Randomness;
  /** Timers of partitions due before a time, soonest first, behind a place in that order. */
  read(
    partitions: readonly number[],
    before: number,
    limit: number,
    after: TimerPlace | undefined,
  ): Promise<readonly TimerRow[]>;
  owned(): readonly number[];
  holds(partition: number): boolean;
  /** Resolves when the timer's turn has committed; `attempt` counts from 1. A skipped tick only moves its timer on. */
  fire(timer: TimerRow, attempt: number, skip: boolean): Promise<void>;
  afterFailure(timer: TimerRow, attempt: number, error: unknown): Promise<TimerVerdict>;
  failed(error: unknown): void;
}

/**
 * What to do about a failure. `retry`: again, as the next attempt; `wait`: again, as the attempt it was, since the turn
 * did not run; `skip`: this tick is over, on to the next; `drop`: nothing more to do here (a dead letter, a pause).
 */
export type TimerVerdict = "retry" | "wait" | "skip" | "drop";

const HORIZON_MS = 60_000;
const READ_LIMIT = 5_000;
/** Rows are read again this often, which also finds timers that moved into the horizon. */
const READ_EVERY_MS = 30_000;
/** While a round of reading has not come to its end. */
const READ_ON_MS = 1_000;
/** Timers in memory, at most (T2). */
const MAX_IN_MEMORY = 50_000;
/** Turns of timers under way at a time, at most (T4). */
const MAX_FIRING = 1_000;

/** Reads whose rows are not taken yet, at most. One whose rows nobody takes is forgotten in time. */
const MAX_READS = 64;

/** What a read has found, and what was heard of while it was under way (T3). */
export class TimerRead {
  rows: readonly TimerRow[] = [];
  #spoilt = false;
  readonly #touched = new Set<string>();
  readonly #moved = new Set<number>();

  /** A timer was written, or is not fired here any more. */
  touch(id: string): void {
    this.#touched.add(id);
    if (this.#touched.size > MAX_IN_MEMORY) this.spoil();
  }

  /** It is not worth to remember what has come meanwhile: it shows nothing, and the next regular read does. */
  spoil(): void {
    this.rows = [];
    this.#spoilt = true;
    this.#touched.clear();
  }

  /** A partition left this node. */
  left(partition: number): void {
    this.#moved.add(partition);
  }

  /** The rows that count. */
  current(): readonly TimerRow[] {
    if (this.#spoilt) return [];
    if (this.#touched.size === 0 && this.#moved.size === 0) return this.rows;
    return this.rows.filter((row) => !this.#touched.has(identity(row, row.name)) && !this.#moved.has(row.partition));
  }
}

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

export class TimerService {
  readonly #host: TimerHost;
  readonly #heap = new Heap<Entry>((entry) => entry.readyAt);
  /** The timers in memory by identity: the heap may hold older entries of the same name, which then count for nothing. */
  readonly #current = new Map<string, Entry>();
  readonly #firing = new Set<string>();
  /** Timers in memory that wait for another try. */
  readonly #failing = new Set<string>();
  /** Reads that are under way, or whose answer was not taken yet. */
  readonly #reads = new Set<TimerRead>();
  /** Where the next page of a round begins. */
  #readUpTo: TimerPlace | undefined;
  #cancelWake: (() => void) | undefined;
  #cancelRead: (() => void) | undefined;
  #stopped = false;

  constructor(host: TimerHost) {
    this.#host = host;
  }

  /** Reads the near timers of partitions. */
  read(partitions: readonly number[]): Promise<TimerRead> {
    return this.#reading((before) => this.#host.read(partitions, before, READ_LIMIT, undefined));
  }

  /** Takes what `read` found. A full page means that there is more: it is read again soon. */
  load(read: TimerRead): void {
    this.#take(read);
    this.#readAgain(read.rows.length >= READ_LIMIT ? READ_ON_MS : READ_EVERY_MS);
  }

  /** A commit wrote these, as a commit listener is told. */
  written(_turns: unknown, { timers: writes }: { readonly timers: readonly TimerWrite[] }): void {
    if (writes.length === 0) return;
    const horizon = this.#host.clock.now() + HORIZON_MS;
    for (const write of writes) {
      const id = identity(write, write.name);
      for (const read of this.#reads) read.touch(id); // T3
      if (write.dueAt === undefined || write.dueAt > horizon) this.#drop(id);
      else this.#put(fresh(write)); // also at the same due time: the message may be another one
    }
    this.#arm();
  }

  /** Whether a timer with this due time is the one that counts, as far as is committed. */
  isCurrent(actor: ActorId, name: string, dueAt: number): boolean {
    return this.#current.get(identity(actor, name))?.timer.dueAt === dueAt;
  }

  /**
   * An actor's timers may fire again: reads all that it has, and takes the near ones. Each anew, as a firing that was turned
   * away may not have come to its end yet: what it says of its own timer counts for nothing then.
   */
  async resume(readAll: () => Promise<readonly TimerRow[]>): Promise<void> {
    const read = await this.#reading(readAll);
    this.#reads.delete(read);
    const horizon = this.#host.clock.now() + HORIZON_MS;
    for (const row of read.current()) {
      if (row.dueAt < horizon && this.#host.holds(row.partition)) this.#put(fresh(row));
    }
    this.#arm();
  }

  /** The partitions moved to another node: their timers are no longer ours to fire. What `kept` has read is of their next ownership. */
  drop(partitions: ReadonlySet<number>, kept?: TimerRead): void {
    for (const read of this.#reads) if (read !== kept) for (const partition of partitions) read.left(partition);
    for (const [id, entry] of this.#current) if (partitions.has(entry.timer.partition)) this.#drop(id);
  }

  /** Timers whose time has come, and whose turn has not ended yet. */
  get due(): number {
    const now = this.#host.clock.now();
    let due = 0;
    for (const { timer } of this.#current.values()) if (timer.dueAt <= now) due++;
    return due;
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelWake?.();
    this.#cancelRead?.();
  }

  async #reading(rows: (before: number) => Promise<readonly TimerRow[]>): Promise<TimerRead> {
    const read = new TimerRead();
    this.#reads.add(read);
    if (this.#reads.size > MAX_READS) {
      const [oldest] = this.#reads;
      oldest?.spoil();
      if (oldest !== undefined) this.#reads.delete(oldest);
    }
    try {
      read.rows = await rows(this.#host.clock.now() + HORIZON_MS);
      return read;
    } catch (error) {
      this.#reads.delete(read);
      throw error;
    }
  }

  #take(read: TimerRead): void {
    this.#reads.delete(read);
    for (const row of read.current()) if (this.#host.holds(row.partition)) this.#offer(row);
    this.#arm();
  }

  #offer(timer: TimerRow): void {
    // A re-read row that is already here keeps its place and its count of tries.
    if (this.#current.get(identity(timer, timer.name))?.timer.dueAt === timer.dueAt) return;
    if (this.#current.size >= MAX_IN_MEMORY) {
      const [waiting] = this.#failing;
      if (waiting === undefined) return; // T2: what is here fires first; this one is read again
      this.#drop(waiting); // T4
    }
    this.#put(fresh(timer));
  }

  #put(entry: Entry): void {
    const id = identity(entry.timer, entry.timer.name);
    this.#current.set(id, entry);
    if (entry.failures > 0) this.#failing.add(id);
    else this.#failing.delete(id);
    this.#heap.push(entry);
  }

  #drop(id: string): void {
    this.#current.delete(id);
    this.#failing.delete(id);
  }

  #arm(): void {
    this.#cancelWake?.();
    this.#cancelWake = undefined;
    const next = this.#heap.peek();
    if (next === undefined || this.#stopped) return;
    this.#cancelWake = this.#host.clock.after(Math.max(0, next.readyAt - this.#host.clock.now()), () =>
      this.#fireDue(),
    );
  }

  #fireDue(): void {
    const now = this.#host.clock.now();
    // T1: a wake-up that came a little early finds nothing due, and arms again.
    for (let next = this.#heap.peek(); next !== undefined && next.readyAt <= now; next = this.#heap.peek()) {
      if (this.#firing.size >= MAX_FIRING) return; // T4: the next one that ends goes on
      this.#heap.take();
      const id = identity(next.timer, next.timer.name);
      if (this.#current.get(id) === next && !this.#firing.has(id)) void this.#fire(id, next);
    }
    this.#arm();
  }

  async #fire(id: string, entry: Entry): Promise<void> {
    this.#firing.add(id);
    const { timer, attempt } = entry;
    try {
      const skip = entry.skip || (attempt === 1 && this.#isMissed(timer));
      await this.#host.fire(timer, attempt, skip);
      // Its commit removed or replaced the row and told `written`; a message that was dropped as stale did neither.
      if (this.#current.get(id) === entry) this.#drop(id);
    } catch (error) {
      if (this.#stopped) return;
      const verdict = await this.#host.afterFailure(timer, attempt, error).catch(() => "wait" as const);
      if (this.#current.get(id) !== entry) return;
      if (verdict === "drop" || !this.#host.holds(timer.partition)) this.#drop(id);
      else this.#put(this.#again(entry, verdict));
    } finally {
      const full = this.#firing.size >= MAX_FIRING;
      this.#firing.delete(id);
      const latest = this.#current.get(id);
      // Set anew while its last firing was still under way: the heap entry was passed over, so offer it again.
      if (latest !== undefined && latest !== entry) this.#heap.push(latest);
      if (full) this.#fireDue();
      else this.#arm();
    }
  }

  #again(entry: Entry, verdict: Exclude<TimerVerdict, "drop">): Entry {
    const now = this.#host.clock.now();
    if (verdict === "skip" && !entry.skip) return { ...entry, readyAt: now, failures: 0, skip: true };
    const failures = entry.failures + 1;
    const attempt = verdict === "retry" ? entry.attempt + 1 : entry.attempt;
    return { ...entry, readyAt: now + backoffMs(failures, this.#host.randomness), attempt, failures };
  }

  #isMissed({ schedule, dueAt }: TimerRow): boolean {
    return schedule !== undefined && isSkipped(schedule, dueAt, this.#host.clock.now());
  }

  #readAgain(ms: number): void {
    if (this.#stopped) return;
    this.#cancelRead ??= this.#host.clock.after(ms, () => void this.#reread());
  }

  /** One page of a round that goes through all near timers, however many of them cannot be fired (T4). */
  async #reread(): Promise<void> {
    this.#cancelRead = undefined;
    const owned = this.#host.owned();
    if (this.#stopped) return;
    if (owned.length === 0) {
      this.#readAgain(READ_EVERY_MS);
      return;
    }
    const after = this.#readUpTo;
    try {
      const read = await this.#reading((before) => this.#host.read(owned, before, READ_LIMIT, after));
      this.#take(read);
      const whole = read.rows.length < READ_LIMIT;
      this.#readUpTo = whole ? undefined : read.rows.at(-1);
      // A page that began behind others ends the round: what became near before it is read with the next one.
      this.#readAgain(whole && after === undefined ? READ_EVERY_MS : READ_ON_MS);
    } catch (error) {
      this.#host.failed(error);
      this.#readAgain(READ_EVERY_MS);
    }
  }
}

function fresh(timer: TimerRow): Entry {
  return { timer, readyAt: timer.dueAt, attempt: 1, failures: 0, skip: false };
}

function identity(actor: ActorId, name: string): string {
  return `${actor.type}/${actor.key}\u0000${name}`;
}
