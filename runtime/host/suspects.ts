/**
 * Messages that may have ended the process of the node that ran them: sends, timers and events that a node finds undone when
 * it takes partitions from one that never said goodbye, and what their turns ask. A call is its caller's to repeat.
 *
 * Owns: how often such a message was begun. Does not own: what becomes of it (who brought it counts its failures, and makes
 * a dead letter of it or pauses its actor).
 * Calls in: `take`, the partition listener. Calls out: the store's `begun` and `saveBegun`, and what `take` is given.
 *
 * K1 a message from before such a takeover is written down as begun before its turn begins, and struck out when it has ended.
 *    All other messages pass by: they cost nothing.
 * K2 one that was begun when a node ended is run again with no other such message beside it, so that those who only were
 *    there at the same time are not taken for it.
 * K3 one that was found begun too often is not run any more: it is answered as a turn that failed.
 */
import type { AnyActorType } from "../actor/any-actor.ts";
import type { Clock } from "../base/clock.ts";
import type { Delivery } from "../message/delivery.ts";
import { TroupeError } from "../message/errors.ts";
import type { PartitionListener } from "../ownership/partition-listener.ts";
import type { PartitionTable } from "../ownership/partition-table.ts";
import { movingError, type Partition } from "../ownership/partition.ts";
import type { Envelope } from "../ports/envelope.ts";
import type { BegunMessage, Store } from "../ports/store.ts";
import type { StoreLog } from "../telemetry/store-log.ts";

export interface SuspectsParts {
  readonly clock: Clock;
  readonly store: Store;
  readonly log: StoreLog;
  readonly partitions: PartitionTable;
  readonly types: ReadonlyMap<string, AnyActorType>;
}

/** A message made on a node whose clock is ahead may be this much younger than the takeover. */
const CLOCKS_DIFFER_MS = 1_000;
/** A process is dear: five ends of it are enough, whatever `poison.after` says; and a few prove nothing, as nodes die for many reasons. */
const MIN_BEGUN = 3;
const MAX_BEGUN = 4;
/** The next one that runs alone does not wait longer for the one before it. */
const ALONE_MS = 60_000;

export class Suspects implements PartitionListener {
  readonly #parts: SuspectsParts;
  /** When partitions were taken from a node that did not give them back. */
  readonly #taken = new Map<number, number>();
  /** How often messages were begun, as far as it did not end well. */
  readonly #begun = new Map<string, BegunMessage>();
  readonly #waiting: (() => Promise<void>)[] = [];
  #alone = false;
  #unsaved: { readonly row: BegunMessage; saved(): void; failed(error: unknown): void }[] = [];
  #saving = false;

  constructor(parts: SuspectsParts) {
    this.#parts = parts;
  }

  /** Asked before every message: while it is 0, nothing is suspected. */
  get size(): number {
    return this.#taken.size;
  }

  /** Takes a message that may have ended a process, and passes it on when its time has come. Returns whether it did. */
  take(delivery: Delivery, pass: (delivery: Delivery) => void): boolean {
    const { envelope } = delivery;
    const partition = this.#parts.partitions.of(envelope.type, envelope.key);
    const taken = this.#taken.get(partition);
    const id = idOf(envelope);
    if (taken === undefined || id === undefined) return false;
    const { type, key } = envelope;
    if (envelope.since === undefined || envelope.since > taken + CLOCKS_DIFFER_MS) return false;
    const known = this.#begun.get(identity({ type, key, id }));
    const row = known ?? { type, key, id, partition, count: 0, at: this.#parts.clock.now() };
    if (row.count >= this.#limitOf(type)) this.#refuse(delivery, row);
    else if (row.count === 0 || envelope.callers.length > 0) void this.#run(delivery, row, pass);
    else this.#runAlone(() => this.#run(delivery, row, pass));
    return true;
  }

  // --- PartitionListener ---

  async opening(partitions: readonly Partition[]): Promise<() => void> {
    const abandoned = partitions.flatMap(({ id, abandoned }) => (abandoned ? [id] : []));
    const rows = abandoned.length === 0 ? [] : await this.#parts.store.begun(abandoned);
    return () => {
      const now = this.#parts.clock.now();
      for (const id of abandoned) this.#taken.set(id, now);
      for (const row of rows) this.#begun.set(identity(row), row);
    };
  }

  closed(ids: ReadonlySet<number>): void {
    for (const id of ids) this.#taken.delete(id);
    for (const [id, { partition }] of this.#begun) if (ids.has(partition)) this.#begun.delete(id);
  }

  // --- turns ---

  #limitOf(type: string): number {
    const { after = 5 } = this.#parts.types.get(type)?.options.poison ?? {};
    return Math.min(MAX_BEGUN, Math.max(MIN_BEGUN, after - 1));
  }

  /** Suspects.K3 */
  #refuse(delivery: Delivery, row: BegunMessage): void {
    const { type, key, message, attempt } = delivery.envelope;
    const { after = 5 } = this.#parts.types.get(type)?.options.poison ?? {};
    // Who brought it gives it up now. Should it be replayed later, it begins anew.
    if (attempt >= after) void this.#save({ ...row, count: 0 }).catch(() => undefined);
    delivery.fail(
      new TroupeError(
        "turn_failed",
        `Cannot run ${message} of ${type}/${key} again as the node that ran it ended ${row.count + 1} times before the turn did`,
      ),
    );
  }

  async #run(delivery: Delivery, row: BegunMessage, pass: (delivery: Delivery) => void): Promise<void> {
    if (delivery.expired?.() === true || !this.#holds(row.partition)) {
      delivery.fail(movingError());
      return;
    }
    const { clock } = this.#parts;
    try {
      await this.#save({ ...row, count: row.count + 1, at: clock.now() }); // Suspects.K1
    } catch (error) {
      const text = `Cannot write down that ${delivery.envelope.message} of ${row.type}/${row.key} begins`;
      delivery.fail(new TroupeError("unavailable", text, { cause: error }));
      return;
    }
    if (!this.#holds(row.partition)) {
      delivery.fail(movingError());
      return;
    }
    await new Promise<void>((resolve) => {
      const cancel = clock.after(ALONE_MS, resolve);
      const ended = (well: boolean): void => {
        cancel();
        resolve();
        // One that may be tried again is as suspect as before, and not more.
        this.#save({ ...row, count: well ? 0 : row.count }).catch(() => undefined);
      };
      pass(new WatchedDelivery(delivery, ended));
    });
  }

  /** Suspects.K2 */
  #runAlone(run: () => Promise<void>): void {
    this.#waiting.push(run);
    if (!this.#alone) void this.#runWaiting();
  }

  async #runWaiting(): Promise<void> {
    this.#alone = true;
    for (let run = this.#waiting.shift(); run !== undefined; run = this.#waiting.shift()) await run();
    this.#alone = false;
  }

  #holds(partition: number): boolean {
    return this.#parts.partitions.partition(partition) !== undefined && this.#parts.partitions.holdsLease();
  }

  // --- writing down ---

  /** Many with one statement, one statement at a time. */
  #save(row: BegunMessage): Promise<void> {
    if (this.#taken.has(row.partition)) {
      if (row.count === 0) this.#begun.delete(identity(row));
      else this.#begun.set(identity(row), row);
    }
    return new Promise((saved, failed) => {
      this.#unsaved.push({ row, saved, failed });
      if (!this.#saving) void this.#saveAll();
    });
  }

  async #saveAll(): Promise<void> {
    this.#saving = true;
    await Promise.resolve(); // what begins in this very step goes along
    for (let batch = this.#unsaved; batch.length > 0; batch = this.#unsaved) {
      this.#unsaved = [];
      // A row that is there twice has the last value.
      const rows = new Map(batch.map(({ row }) => [identity(row), row]));
      try {
        await this.#parts.store.saveBegun([...rows.values()]);
        for (const { saved } of batch) saved();
      } catch (error) {
        this.#parts.log.failed("writing down what begins", error);
        for (const { failed } of batch) failed(error);
      }
    }
    this.#saving = false;
  }
}

/** Tells when a message has been answered, whatever it was answered. */
class WatchedDelivery implements Delivery {
  readonly envelope: Envelope;
  readonly deadline?: number;
  readonly #delivery: Delivery;
  readonly #ended: (well: boolean) => void;

  constructor(delivery: Delivery, ended: (well: boolean) => void) {
    this.envelope = delivery.envelope;
    if (delivery.deadline !== undefined) this.deadline = delivery.deadline;
    this.#delivery = delivery;
    this.#ended = ended;
  }

  succeed(body: string | undefined): void {
    this.#ended(true);
    this.#delivery.succeed(body);
  }

  fail(error: unknown): void {
    this.#ended(!(error instanceof TroupeError) || !error.retryable);
    this.#delivery.fail(error);
  }

  expired(): boolean {
    return this.#delivery.expired?.() ?? false;
  }
}

/** What tells a message that comes again from any other; `undefined` where nothing does. */
function idOf({ id, origin }: Envelope): string | undefined {
  return id ?? (origin.kind === "timer" ? `timer ${origin.name} ${origin.dueAt}` : undefined);
}

function identity({ type, key, id }: Pick<BegunMessage, "type" | "key" | "id">): string {
  return `${type}/${key}\u0000${id}`;
}
