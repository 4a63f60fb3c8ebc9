/**
 * The actors of one store that are in memory here.
 *
 * Owns: which these are, and what is left of those that went: their `onPassivate`. Does not own: what an actor does
 * (`Activation`), who has to go for want of room or use (`ActorLru`).
 *
 * D1 an actor is in memory once at most: who takes one out of use has it forgotten in the same step.
 * D2 an actor is loaded again only after what its last stay has left is over (`left`).
 */

import type { LeaveReason } from "../actor/life.ts";
import type { TroupeError } from "../message/errors.ts";
import type { PartitionListener } from "../ownership/partition-listener.ts";
import { movingError } from "../ownership/partition.ts";
import type { ActorId } from "../ports/store.ts";
import type { Activation } from "./activation.ts";
import type { ActorLru } from "./lru.ts";

/** The actors of one type that a node has in memory. */
export interface ReportedActors {
  readonly type: string;
  readonly inMemory: number;
  /** Messages waiting in mailboxes. */
  readonly waiting: number;
}

export class ActivationDirectory implements PartitionListener {
  /**
   * By type and key. Two steps instead of one map by address: joining and hashing an address would be the dearest part of
   * finding an actor.
   */
  readonly #types = new Map<string, Map<string, Activation>>();
  readonly #residents: ActorLru;
  /** By address. */
  readonly #leaving = new Map<string, Promise<void>>();

  constructor(residents: ActorLru) {
    this.#residents = residents;
  }

  get size(): number {
    let size = 0;
    for (const actors of this.#types.values()) size += actors.size;
    return size;
  }

  /** Whether nothing is under way in any of them. */
  get still(): boolean {
    return [...this.#all()].every((activation) => activation.still);
  }

  find(type: string, key: string): Activation | undefined {
    return this.#types.get(type)?.get(key);
  }

  in(partitions: ReadonlySet<number>): Activation[] {
    return [...this.#all()].filter((activation) => partitions.has(activation.partition));
  }

  add(activation: Activation): void {
    const { type, key } = activation.id;
    const actors = this.#types.get(type);
    if (actors === undefined) this.#types.set(type, new Map([[key, activation]]));
    else actors.set(key, activation);
    this.#residents.add(activation);
  }

  /** It is used now. */
  touch(activation: Activation, now?: number): void {
    this.#residents.touch(activation, now);
  }

  /** Takes an actor out (ActivationDirectory.D1). */
  forget({ type, key }: ActorId): Activation | undefined {
    const activation = this.find(type, key);
    if (activation === undefined) return undefined;
    this.#types.get(type)?.delete(key);
    this.#residents.remove(activation);
    return activation;
  }

  /** Takes a quiet actor out of memory. */
  evict(actor: ActorId, reason: LeaveReason): void {
    const activation = this.forget(actor);
    if (activation !== undefined) this.#leaves(activation, activation.passivate(reason));
  }

  /** Takes actors out of memory, whatever they do; in all partitions without `partitions`. */
  discard(error: TroupeError, reason: LeaveReason, partitions?: ReadonlySet<number>): void {
    for (const activation of this.#all()) {
      if (partitions !== undefined && !partitions.has(activation.partition)) continue;
      this.forget(activation.id);
      this.#leaves(activation, activation.discard(error, reason));
    }
  }

  /** The partitions moved: whatever their actors do, another node may write meanwhile. */
  closed(partitions: ReadonlySet<number>): void {
    this.discard(movingError(), "moved", partitions);
  }

  /** Resolves when what an actor's last stay has left is over (ActivationDirectory.D2); `undefined` when that is nothing. */
  left({ type, key }: ActorId): Promise<void> | undefined {
    return this.#leaving.size > 0 ? this.#leaving.get(`${type}/${key}`) : undefined;
  }

  async allLeft(): Promise<void> {
    await Promise.all(this.#leaving.values());
  }

  /** How many there are of each type, and how many messages wait for them. */
  report(types: readonly string[]): ReportedActors[] {
    const counts = new Map(types.map((type) => [type, { inMemory: 0, waiting: 0 }]));
    for (const { id, depth } of this.#all()) {
      const count = counts.get(id.type);
      if (count === undefined) continue;
      count.inMemory++;
      count.waiting += depth;
    }
    return [...counts].map(([type, count]) => ({ type, ...count }));
  }

  /** Actors may be forgotten on the way. */
  *#all(): Generator<Activation> {
    for (const actors of this.#types.values()) yield* actors.values();
  }

  #leaves({ address }: Activation, passivation: Promise<void> | undefined): void {
    if (passivation === undefined) return;
    const before = this.#leaving.get(address);
    const all = before === undefined ? passivation : Promise.all([before, passivation]).then(() => undefined);
    this.#leaving.set(address, all);
    void all.then(() => {
      if (this.#leaving.get(address) === all) this.#leaving.delete(address);
    });
  }
}
