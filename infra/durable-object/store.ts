import type { CommitBatch, NodeId, Store } from "#runtime";
import { applyMigrations } from "../sqlite/apply.ts";
import { SqlStore } from "../sqlite/sql-store.ts";
import { ObjectDatabase, type ObjectStorage } from "./database.ts";
import { MIGRATIONS } from "./migrations.ts";

/** Until then a record that no sink has taken yet wakes the object again. */
const UNSENT_MS = 30_000;

/**
 * A store on the SQLite storage of a Durable Object. The object's alarm is set to the next timer of its actors, and to a
 * moment after what is still to be sent, so that neither waits for a request.
 */
export class ObjectStore extends SqlStore implements Store {
  readonly #storage: ObjectStorage;
  readonly #database: ObjectDatabase;
  /** When the object is woken; `undefined`: not known yet. */
  #alarmAt: number | undefined;

  /** @param partitions as of `sqlite`. */
  constructor(storage: ObjectStorage, partitions?: number) {
    const database = new ObjectDatabase(storage);
    const open = (): Promise<ObjectDatabase> => {
      applyMigrations(database, MIGRATIONS);
      return Promise.resolve(database);
    };
    super("durable-object", open, partitions);
    this.#storage = storage;
    this.#database = database;
  }

  override async commit(node: NodeId, batch: CommitBatch): Promise<void> {
    const due = batch.timers.flatMap(({ dueAt }) => (dueAt === undefined ? [] : [dueAt]));
    if (batch.outbox.length > 0) due.push(Date.now() + UNSENT_MS);
    // Before the commit: an alarm for nothing does no harm, a timer without one would wait for the next request.
    if (due.length > 0) await this.#wakeAt(soonest(due));
    await super.commit(node, batch);
  }

  /**
   * The partitions are free: there is one instance of an object at a time, so whoever held them is gone. Their epochs fence it
   * off should it still write.
   */
  takeOver(): void {
    this.#database.run("update partitions set owner = null where owner is not null");
  }

  /** When the next timer is due; `undefined`: there is none. */
  nextDue(): number | undefined {
    return this.#database.get<{ due: number | null }>("select min(due_ms) as due from timers")?.due ?? undefined;
  }

  /** Whether there is something that not every sink has taken. */
  unsent(): boolean {
    const ahead = this.#database.get(
      `select 1 from partitions p cross join sinks s
       left join cursors c on c.sink = s.name and c.partition = p.id
       join outbox o on o.partition = p.id and o.seq > coalesce(c.seq, 0) and o.kind = s.kind limit 1`,
    );
    return ahead !== undefined;
  }

  /** The alarm has rung: sets the next one. */
  async rang(): Promise<void> {
    this.#alarmAt = undefined;
    const due = this.nextDue();
    const unsent = this.unsent() ? Date.now() + UNSENT_MS : undefined;
    const next = [due, unsent].filter((at) => at !== undefined);
    if (next.length > 0) await this.#wakeAt(soonest(next));
  }

  async #wakeAt(at: number): Promise<void> {
    this.#alarmAt ??= (await this.#storage.getAlarm()) ?? Number.POSITIVE_INFINITY;
    if (at >= this.#alarmAt) return;
    this.#alarmAt = at;
    await this.#storage.setAlarm(Math.max(at, 1));
  }
}

/** Of as many as a batch may hold. */
function soonest(times: readonly number[]): number {
  return times.reduce((a, b) => Math.min(a, b));
}
