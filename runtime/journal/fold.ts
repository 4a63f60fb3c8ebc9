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
import type { JournalRecord } from "../ports/store.ts";

/** A row of the journal before its commit gives it its place in the outbox. */
export type JournalDraft = Pick<JournalRecord, "seq" | "id" | "name" | "data">;

/** The name of the row that says: here the actor was destroyed. No event can have it, as events have a noun and a verb. */
export const DESTROYED = "$destroyed";

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
    const next = apply(this.state as never, JSON.parse(data) as never, { key: this.#key, id, at, seq }); // Fold.J2
    if (next !== undefined) this.state = next;
  }
}
