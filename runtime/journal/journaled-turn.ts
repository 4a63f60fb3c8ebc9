import type { AnyActorType } from "../actor/any-actor.ts";
import { exactJson } from "../message/exact-json.ts";
import type { ActorId } from "../ports/store.ts";
import { DESTROYED, Fold, type JournalDraft } from "./fold.ts";
import { readOnly } from "./read-only.ts";
import { type JournalHost, type Rebuilt, rebuildState, type TurnInRebuild } from "./rebuild.ts";

const DEFAULT_SNAPSHOT_EVERY = 100;

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

  /** Whether the turn's commit writes a snapshot (Fold.J4). */
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

  /** The actor was destroyed by this turn (Fold.J5). */
  destroyed(): void {
    if (this.forced) return; // a rebuild found that it was destroyed before
    this.rows.push({ seq: this.version + 1, id: "", name: DESTROYED, data: "null" });
    this.#fold.seq++;
    this.forced = true;
  }

  /** Recomputes the state from the whole journal, as {@link rebuildState} does. */
  rebuild(turn: TurnInRebuild): Promise<Rebuilt> {
    return rebuildState(this, turn);
  }

  /** Puts another state in the place of the one there is, to be written as a snapshot. */
  replace(state: unknown): void {
    this.#fold.state = state;
    this.view = this.#look();
    this.forced = true;
  }

  /**
   * The state as JSON after the turn; `before` when nothing was emitted.
   * @throws {TypeError} when the handler put something of its own in the place of the state (Fold.J1).
   */
  text(view: unknown, before: string | undefined): string | undefined {
    if (view !== this.view) throw new TypeError(this.#why());
    return this.rows.length === 0 && !this.forced
      ? before
      : exactJson(this.#fold.state, `the state of ${this.actor.type}/${this.actor.key}`);
  }

  #look(): unknown {
    return readOnly(this.#fold.state, () => this.#why());
  }

  #why(): string {
    return `Cannot change the state of ${this.actor.type}/${this.actor.key} in a handler as it is journaled: emit an event, and change it in "apply"`;
  }
}
