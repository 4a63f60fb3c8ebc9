import type { Activation } from "./activation.ts";

/**
 * The actors in memory, by type and key. Two steps instead of one map by address: joining and hashing an address would
 * be the dearest part of finding an actor.
 */
export class ActorTable {
  readonly #types = new Map<string, Map<string, Activation>>();

  get size(): number {
    let size = 0;
    for (const actors of this.#types.values()) size += actors.size;
    return size;
  }

  get(type: string, key: string): Activation | undefined {
    return this.#types.get(type)?.get(key);
  }

  add(activation: Activation): void {
    const { type, key } = activation.id;
    const actors = this.#types.get(type);
    if (actors === undefined) this.#types.set(type, new Map([[key, activation]]));
    else actors.set(key, activation);
  }

  /** May be called while going through {@link values}. */
  remove(activation: Activation): void {
    const actors = this.#types.get(activation.id.type);
    if (actors?.get(activation.id.key) === activation) actors.delete(activation.id.key);
  }

  *values(): Generator<Activation> {
    for (const actors of this.#types.values()) yield* actors.values();
  }
}
