/**
 * Fires the durable timers of the partitions this node holds.
 *
 * Owns: when a timer fires, and its tries. Does not own: the timer rows; a row is written and removed by the commits of
 * its actor, so that firing and acting are one thing.
 *
 * T1 a timer never fires early, by the runtime's clock, and fires again until a turn that handles it has committed (G7).
 * T2 only rows due within the horizon are in memory; the rest is read when its time comes near.
 */
import { backoffMs } from "../base/backoff.ts";
import type { Clock } from "../base/clock.ts";
import { Heap } from "../base/heap.ts";
import type { Randomness } from "../base/randomness.ts";
import type { PartitionListener } from "../ownership/partition-listener.ts";
import type { PartitionTable } from "../ownership/partition-table.ts";
import type { Partition } from "../ownership/partition.ts";
import type { ActorId, Store, TimerRow, TimerWrite } from "../ports/store.ts";
import type { StoreLog } from "../telemetry/store-log.ts";
import { isSkipped } from "./schedule.ts";

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
/** Rows are read again this often, which also finds timers that moved into the horizon. */
const READ_EVERY_MS = 30_000;

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
  #cancelWake: (() => void) | undefined;
  #cancelRead: (() => void) | undefined;
  #stopped = false;

  constructor(parts: TimerServiceParts) {
    this.#parts = parts;
  }

  /** From now on timers fire. To be called before the first partition is opened. */
  start(firing: TimerFiring): void {
    this.#firing = firing;
  }

  // --- PartitionListener ---

  async opening(partitions: readonly Partition[]): Promise<() => void> {
    const rows = await this.#read(partitions.map(({ id }) => id));
    return () => this.#load(rows);
  }

  closing(ids: ReadonlySet<number>): void {
    this.closed(ids);
  }

  async reopening(ids: ReadonlySet<number>): Promise<void> {
    this.#load(await this.#read([...ids]));
  }

  /** The timers of partitions that moved are no longer this node's to fire. */
  closed(ids: ReadonlySet<number>): void {
    for (const [id, entry] of this.#current) if (ids.has(entry.timer.partition)) this.#current.delete(id);
  }

  // --- timers ---

  /** The near timers of partitions. */
  #read(partitions: readonly number[]): Promise<readonly TimerRow[]> {
    return this.#parts.store.timers(partitions, this.#parts.clock.now() + HORIZON_MS, READ_LIMIT);
  }

  /** Takes rows that `#read` found. A full page means that there is more: it is read again soon. */
  #load(rows: readonly TimerRow[]): void {
    for (const row of rows) if (this.#holds(row)) this.#offer(row);
    this.#arm();
    if (!this.#stopped) {
      this.#cancelRead ??= this.#parts.clock.after(
        rows.length >= READ_LIMIT ? 1_000 : READ_EVERY_MS,
        () => void this.#reread(),
      );
    }
  }

  /** A commit wrote these, as a commit listener is told. */
  written(_turns: unknown, { timers: writes }: { readonly timers: readonly TimerWrite[] }): void {
    if (writes.length === 0) return;
    const horizon = this.#parts.clock.now() + HORIZON_MS;
    for (const write of writes) {
      const id = identity(write, write.name);
      if (write.dueAt === undefined || write.dueAt > horizon) this.#current.delete(id);
      else this.#put(fresh(write)); // also at the same due time: the message may be another one
    }
    this.#arm();
  }

  /** Whether a timer with this due time is the one that counts, as far as is committed. */
  isCurrent(actor: ActorId, name: string, dueAt: number): boolean {
    return this.#current.get(identity(actor, name))?.timer.dueAt === dueAt;
  }

  /**
   * An actor's timers may fire again: takes its near ones, of all that it has. Each anew, as a firing that was turned
   * away may not have come to its end yet: what it says of its own timer counts for nothing then.
   */
  resume(rows: readonly TimerRow[]): void {
    const horizon = this.#parts.clock.now() + HORIZON_MS;
    for (const row of rows) if (row.dueAt < horizon && this.#holds(row)) this.#put(fresh(row));
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
    this.#cancelRead?.();
  }

  #holds({ partition }: TimerRow): boolean {
    return this.#parts.partitions.partition(partition) !== undefined;
  }

  #offer(timer: TimerRow): void {
    // A re-read row that is already here keeps its place and its count of tries.
    if (this.#current.get(identity(timer, timer.name))?.timer.dueAt === timer.dueAt) return;
    this.#put(fresh(timer));
  }

  #put(entry: Entry): void {
    this.#current.set(identity(entry.timer, entry.timer.name), entry);
    this.#heap.push(entry);
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
    // T1: a wake-up that came a little early finds nothing due, and arms again.
    for (let next = this.#heap.peek(); next !== undefined && next.readyAt <= now; next = this.#heap.peek()) {
      this.#heap.take();
      const id = identity(next.timer, next.timer.name);
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
      if (this.#current.get(id) === entry) this.#current.delete(id);
    } catch (error) {
      if (this.#stopped) return;
      const verdict = (await this.#firing?.afterFailure(timer, attempt, error).catch(() => undefined)) ?? "wait";
      if (this.#current.get(id) !== entry) return;
      if (verdict === "drop" || !this.#holds(timer)) this.#current.delete(id);
      else this.#put(this.#again(entry, verdict));
    } finally {
      this.#underWay.delete(id);
      const latest = this.#current.get(id);
      // Set anew while its last firing was still under way: the heap entry was passed over, so offer it again.
      if (latest !== undefined && latest !== entry) this.#heap.push(latest);
      this.#arm();
    }
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

  async #reread(): Promise<void> {
    this.#cancelRead = undefined;
    if (this.#stopped) return;
    const owned = this.#parts.partitions.held();
    try {
      this.#load(owned.length === 0 ? [] : await this.#read(owned));
    } catch (error) {
      this.#parts.log.failed("reading timers", error);
      this.#load([]);
    }
  }
}

function fresh(timer: TimerRow): Entry {
  return { timer, readyAt: timer.dueAt, attempt: 1, failures: 0, skip: false };
}

function identity(actor: ActorId, name: string): string {
  return `${actor.type}/${actor.key}\u0000${name}`;
}
