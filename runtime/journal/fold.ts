/**
 * Journaled actors: the state is what their own events make of it.
 *
 * Owns: applying events, in a turn and when an actor is loaded, by the same code. Does not own: where events are kept
 * (the store's `journal`), nor the commit.
 *
 * J1 the state changes through `apply` alone: handlers see it behind a read-only view.
 * J2 an event is applied to what a replay would hand to it: its data as the JSON that is kept, and the same meta.
 * J3 journal rows are numbered from 1 without gaps per actor, and written in the fenced commit of their turn.
 * J4 a snapshot is the ordinary state row: its version is the number of the last event in it. The first event of an actor
 *    brings one, so an actor that exists has a row.
 * J5 destroying an actor ends its state, not its journal: a row says so, and the next event starts from the initial state.
 * J6 a snapshot of another schema version is not read: the state is made anew from the whole journal. Such a type needs no
 *    `migrate`.
 */
import type { AnyActorType } from "../actor/any-actor.ts";
import type { ActorId, JournalRecord, LoadedActor, Store } from "../ports/store.ts";
import { readOnly } from "./read-only.ts";

/** A row of the journal before its commit gives it its place in the outbox. */
export type JournalDraft = Pick<JournalRecord, "seq" | "id" | "name" | "data">;

/** The name of the row that says: here the actor was destroyed. No event can have it, as events have a noun and a verb. */
export const DESTROYED = "$destroyed";

const DEFAULT_SNAPSHOT_EVERY = 100;
const PAGE = 1_000;

/** The state of an actor while events are applied to it. `undefined`: it does not exist. */
export class Fold {
  state: unknown;
  /** The number of the last event in the state. */
  seq: number;
  readonly #type: AnyActorType;
  readonly #key: string;

  constructor(type: AnyActorType, key: string, state: unknown, seq: number) {
    this.#type = type;
    this.#key = key;
    this.state = state;
    this.seq = seq;
  }

  /**
   * @throws {TypeError} when the type has no `apply` for the event: it was removed while journals still hold it.
   * @throws what `apply` throws.
   */
  add({ seq, id, name, data }: JournalDraft, at: number): void {
    this.seq = seq;
    if (name === DESTROYED) {
      this.state = undefined;
      return;
    }
    const apply = this.#type.options.apply?.[name];
    if (apply === undefined) {
      throw new TypeError(
        `Cannot replay ${name} of ${this.#type.type}/${this.#key} as it is not in "apply": add it, or null`,
      );
    }
    this.state ??= this.#type.options.initial(this.#key);
    if (apply === null) return;
    const next = apply(this.state as never, JSON.parse(data) as never, { key: this.#key, id, at, seq }); // J2
    if (next !== undefined) this.state = next;
  }
}

/** What the rebuild of a journaled actor needs from its node. */
export interface JournalHost {
  readJournal(actor: ActorId, after: number, limit: number): Promise<readonly JournalRecord[]>;
  /** The state row as it is stored. */
  readSnapshot(actor: ActorId): Promise<LoadedActor>;
  wait(ms: number): Promise<void>;
}

/** What one turn of a journaled actor adds to its journal, and the state it sees meanwhile. */
export class JournaledTurn {
  readonly rows: JournalDraft[] = [];
  /** Whether a snapshot is written whatever the count says. */
  forced = false;
  /** What the handler sees as `c.state`. */
  view: unknown;
  readonly type: AnyActorType;
  readonly actor: ActorId;
  readonly host: JournalHost;
  readonly #every: number;
  readonly #fold: Fold;
  readonly #from: number;
  readonly #isNew: boolean;

  constructor(type: AnyActorType, actor: ActorId, state: unknown, version: number, exists: boolean, host: JournalHost) {
    const { journal } = type.options;
    this.type = type;
    this.actor = actor;
    this.host = host;
    this.#every = typeof journal === "object" ? journal.snapshotEvery : DEFAULT_SNAPSHOT_EVERY;
    this.#fold = new Fold(type, actor.key, state, version);
    this.#from = version;
    this.#isNew = !exists;
    this.view = this.#look();
  }

  get version(): number {
    return this.#fold.seq;
  }

  get state(): unknown {
    return this.#fold.state;
  }

  /** Whether the turn's commit writes a snapshot (J4). */
  get snapshot(): boolean {
    const { seq } = this.#fold;
    const due = Math.floor(seq / this.#every) > Math.floor(this.#from / this.#every);
    return this.forced || (seq > this.#from && (this.#isNew || due));
  }

  /** Applies an event that was emitted, and returns the view of the state after it. */
  emitted(id: string, name: string, data: string, at: number): unknown {
    const before = this.#fold.state;
    const row = { seq: this.version + 1, id, name, data };
    this.#fold.add(row, at);
    this.rows.push(row);
    if (this.#fold.state !== before) this.view = this.#look();
    return this.view;
  }

  /** The actor was destroyed by this turn (J5). */
  destroyed(): void {
    if (this.forced) return; // a rebuild found that it was destroyed before
    this.rows.push({ seq: this.version + 1, id: "", name: DESTROYED, data: "null" });
    this.#fold.seq++;
    this.forced = true;
  }

  /** Puts another state in the place of the one there is, to be written as a snapshot. */
  replace(state: unknown): void {
    this.#fold.state = state;
    this.view = this.#look();
    this.forced = true;
  }

  /**
   * The state as JSON after the turn; `before` when nothing was emitted.
   * @throws {TypeError} when the handler put something of its own in the place of the state (J1).
   */
  text(view: unknown, before: string | undefined): string | undefined {
    if (view !== this.view) throw new TypeError(this.#why());
    return this.rows.length === 0 && !this.forced ? before : JSON.stringify(this.#fold.state);
  }

  #look(): unknown {
    return readOnly(this.#fold.state, () => this.#why());
  }

  #why(): string {
    return `Cannot change the state of ${this.actor.type}/${this.actor.key} in a handler as it is journaled: emit an event, and change it in "apply"`;
  }
}

/** Loads actors; those of journaled types with the events after their snapshot applied. */
export async function loadActors(
  store: Store,
  typeOf: (name: string) => AnyActorType | undefined,
  actors: readonly ActorId[],
): Promise<readonly LoadedActor[]> {
  const loaded = await store.load(actors);
  const journaled = actors.flatMap((actor, i) => {
    const type = typeOf(actor.type);
    const { state, version, schemaVersion } = loaded[i] as LoadedActor;
    if (type?.options.journal === undefined) return [];
    // J6: what another version of the code has made of the events is of no use.
    const fits = state === undefined || schemaVersion === (type.options.version ?? 1);
    const fold = fits ? new Fold(type, actor.key, parsed(state), version) : new Fold(type, actor.key, undefined, 0);
    return [{ i, actor, fold, schemaVersion: type.options.version ?? 1, changed: !fits }];
  });
  if (journaled.length === 0) return loaded;
  for (let reading = journaled; reading.length > 0;) {
    const rows = await store.readJournal(
      reading.map(({ actor, fold }) => ({ ...actor, after: fold.seq })),
      PAGE,
    );
    const counts = new Map<(typeof journaled)[number], number>();
    const byAddress = new Map(reading.map((entry) => [`${entry.actor.type}/${entry.actor.key}`, entry]));
    for (const row of rows) {
      const entry = byAddress.get(`${row.type}/${row.key}`);
      if (entry === undefined) continue;
      entry.fold.add(row, row.at);
      entry.changed = true;
      counts.set(entry, (counts.get(entry) ?? 0) + 1);
    }
    reading = reading.filter((entry) => (counts.get(entry) ?? 0) >= PAGE);
  }
  const result = [...loaded];
  for (const { i, fold, schemaVersion, changed } of journaled) {
    if (!changed) continue;
    const state = fold.state === undefined ? undefined : JSON.stringify(fold.state);
    result[i] = { ...(loaded[i] as LoadedActor), version: fold.seq, state, schemaVersion };
  }
  return result;
}

function parsed(state: string | undefined): unknown {
  return state === undefined ? undefined : (JSON.parse(state) as unknown);
}
