/**
 * The state of one actor in memory, as the last turn that ended well has left it.
 *
 * Owns: the state as text and as a value, its version, the indexed values. Does not own: whether it is durable
 * (`OutputGate`).
 *
 * A3 a turn that did not end well leaves the state as it was before it (G2): what it did to the value is thrown away with
 *    the value, and the next turn gets one that is parsed anew from the text.
 * A5 no piece of a draft outlives its turn: what code that kept one does to it later has no effect.
 */
import type { AnyActorType } from "../actor/any-actor.ts";
import { changedIndex } from "../indexing/filter.ts";
import type { FieldValue } from "../ports/store.ts";
import { copyJson } from "./copy.ts";
import type { Turn } from "./turn.ts";

export class ActorState {
  readonly #type: AnyActorType;
  readonly #key: string;
  /** As JSON; `undefined` while the actor does not exist. */
  #text: string | undefined;
  #version: number;
  #value: unknown;
  /** Whether `#value` may differ from `#text`. */
  #tainted = true;
  /** `undefined` until a turn has written them. */
  #index: readonly FieldValue[] | undefined;

  constructor(type: AnyActorType, key: string, text: string | undefined, version: number) {
    this.#type = type;
    this.#key = key;
    this.#text = text;
    this.#version = version;
  }

  get exists(): boolean {
    return this.#text !== undefined;
  }

  get text(): string | undefined {
    return this.#text;
  }

  get version(): number {
    return this.#version;
  }

  /** What the next turn works on. */
  draft(): unknown {
    if (this.#tainted) {
      this.#value = this.copy();
      this.#tainted = false;
    }
    return this.#value;
  }

  /** A value of its own, whatever a turn does to the draft meanwhile. */
  copy(): unknown {
    return this.#text === undefined ? this.#type.options.initial(this.#key) : JSON.parse(this.#text);
  }

  /** A turn that worked on the draft did not end well (ActorState.A3). */
  taint(): void {
    this.#tainted = true;
  }

  /**
   * `turn` ended well: what it made of the draft is the value from now on. A copy of it, taken before any other code runs: what
   * its handler has kept of the draft is nobody's state any more (ActorState.A5).
   */
  keep({ journal, draft, destroyed }: Turn): void {
    // The handlers of a journaled actor never hold more than a view.
    this.#value = journal === undefined ? copyJson(draft) : journal.state;
    this.#tainted = destroyed || this.#value === undefined;
  }

  /**
   * `turn` ended well with this text. The version rises where the text is another one. Returns all indexed values of the actor,
   * where the turn changed one.
   *
   * @param unchanged whether it is the text that was there before.
   */
  advance(turn: Turn, text: string | undefined, unchanged: boolean): readonly FieldValue[] | undefined {
    const changed = this.#type.options.index === undefined ? undefined : this.#reindex(turn);
    this.keep(turn);
    this.#text = text;
    if (turn.journal !== undefined) this.#version = turn.journal.version;
    else if (!unchanged) this.#version++;
    return changed;
  }

  #reindex({ destroyed, draft }: Turn): readonly FieldValue[] | undefined {
    const changed = changedIndex(this.#type, destroyed ? undefined : draft, this.#index);
    if (changed !== undefined) this.#index = changed;
    return changed;
  }
}
