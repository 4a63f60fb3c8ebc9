/**
 * The actors of one store on this node whose messages are held up: paused ones, and those that are just loaded anew.
 *
 * Owns: what is paused here, and messages that wait for a reload. Does not own: the actors (the store host), the rows
 * (the commit lane writes them, fenced like every write).
 *
 * H1 A pause or its end is answered only once it is durable. From the moment a pause is asked for no command is taken;
 *    one that was taken before may still come to its end.
 * H2 An actor that is loaded anew is loaded only after everything it has finished is durable or lost, so that no turn
 *    is built on a state that is about to change.
 */

import type { ActivationDirectory } from "../activation/activation-directory.ts";
import type { AnyMessageDefinition } from "../actor/any-actor.ts";
import type { Clock } from "../base/clock.ts";
import type { CommitLanes } from "../commit/commit-lanes.ts";
import type { Delivery } from "../message/delivery.ts";
import { MailboxFullError, PausedError, TroupeError } from "../message/errors.ts";
import type { PartitionListener } from "../ownership/partition-listener.ts";
import type { Partition } from "../ownership/partition.ts";
import type { ActorId, Pause, PauseWrite, Store } from "../ports/store.ts";
import type { StoreLog } from "../telemetry/store-log.ts";
import type { TimerService } from "../timers/timer-service.ts";
import { pauseTurn } from "./pause-turn.ts";

/** What pauses work with. */
export interface PausedActorsParts {
  readonly clock: Clock;
  readonly store: Store;
  readonly log: StoreLog;
  readonly lanes: CommitLanes;
  readonly actors: ActivationDirectory;
  readonly timers: TimerService;
}

interface Hold {
  readonly actor: ActorId & { readonly partition: number };
  pause: Pause | undefined;
  /** Resolves when the pause is durable. */
  written: Promise<void>;
  /** Messages that wait for the actor to be loaded anew; `undefined` when it is not. */
  waiting: Delivery[] | undefined;
}

/** Messages that wait for a reload, at most. */
const MAX_WAITING = 1_000;

export class PausedActors implements PartitionListener {
  readonly #parts: PausedActorsParts;
  readonly #holds = new Map<string, Hold>();

  constructor(parts: PausedActorsParts) {
    this.#parts = parts;
  }

  /** Asked before every message: while it is 0, nothing is held. */
  get size(): number {
    return this.#holds.size;
  }

  pauseOf({ type, key }: ActorId): Pause | undefined {
    return this.#holds.get(`${type}/${key}`)?.pause;
  }

  /** Refuses or keeps a message whose actor is held. Returns whether it did. */
  takes(delivery: Delivery, definition: AnyMessageDefinition): boolean {
    const { type, key } = delivery.envelope;
    const hold = this.#holds.get(`${type}/${key}`);
    if (hold === undefined) return false;
    if (hold.pause !== undefined && definition.kind === "command") {
      delivery.fail(new PausedError(`${type}/${key}`, hold.pause));
      return true;
    }
    if (hold.waiting === undefined) return false;
    if (hold.waiting.length >= MAX_WAITING) delivery.fail(new MailboxFullError(delivery.envelope, MAX_WAITING));
    else hold.waiting.push(delivery);
    return true;
  }

  /** Pauses an actor. One that is paused already stays as it is. */
  async pause({ type, key, partition }: ActorId & { readonly partition: number }, reason: string): Promise<void> {
    const actor = { type, key, partition };
    const hold = this.#hold(actor);
    if (hold.pause !== undefined) return hold.written;
    const pause: Pause = { since: this.#parts.clock.now(), reason };
    hold.pause = pause; // PausedActors.H1
    const refused = new PausedError(`${type}/${key}`, pause);
    this.#parts.actors.find(type, key)?.turnAway(refused);
    this.#parts.log.actorPaused(actor, refused);
    hold.written = this.#write({ ...actor, ...pause });
    try {
      await hold.written;
    } catch (error) {
      if (hold.pause === pause) this.#goOn(hold);
      throw error;
    }
  }

  /** Ends a pause. Does nothing where there is none. */
  async resume(actor: ActorId & { readonly partition: number }): Promise<void> {
    const hold = this.#holds.get(`${actor.type}/${actor.key}`);
    if (hold?.pause === undefined) return;
    const { type, key, partition } = actor;
    const { pause } = hold;
    await this.#write({ type, key, partition, since: undefined }); // PausedActors.H1
    if (hold.pause === pause) this.#goOn(hold);
  }

  /** Keeps an actor's messages while `work` runs; they are delivered afterwards, whatever came of the work. */
  async reload(
    actor: ActorId & { readonly partition: number },
    work: () => Promise<void>,
    deliver: (delivery: Delivery) => void,
  ): Promise<void> {
    const hold = this.#hold(actor);
    if (hold.waiting !== undefined) throw unavailable(actor, "it is being loaded anew already");
    hold.waiting = [];
    try {
      await work(); // PausedActors.H2
    } finally {
      const waiting = hold.waiting ?? [];
      hold.waiting = undefined;
      this.#forgetFree(hold);
      for (const delivery of waiting) deliver(delivery);
    }
  }

  // --- PartitionListener ---

  async opening(partitions: readonly Partition[]): Promise<() => void> {
    const rows = await this.#parts.store.paused(partitions.map(({ id }) => id));
    return () => {
      for (const { type, key, partition, since, reason } of rows) {
        this.#hold({ type, key, partition }).pause = { since, reason };
      }
    };
  }

  closed(partitions: ReadonlySet<number>): void {
    for (const [address, hold] of this.#holds) {
      if (!partitions.has(hold.actor.partition)) continue;
      this.#holds.delete(address);
      hold.pause = undefined;
      for (const delivery of hold.waiting?.splice(0) ?? []) {
        delivery.fail(unavailable(hold.actor, "its partition has moved to another node"));
      }
    }
  }

  #hold({ type, key, partition }: ActorId & { readonly partition: number }): Hold {
    const address = `${type}/${key}`;
    let hold = this.#holds.get(address);
    if (hold === undefined) {
      hold = { actor: { type, key, partition }, pause: undefined, written: Promise.resolve(), waiting: undefined };
      this.#holds.set(address, hold);
    }
    return hold;
  }

  #goOn(hold: Hold): void {
    hold.pause = undefined;
    this.#forgetFree(hold);
    this.#parts.log.actorResumed(hold.actor);
    void this.#rereadTimers(hold.actor);
  }

  /** The timers of a paused actor were left out of what was read meanwhile. */
  async #rereadTimers(actor: ActorId): Promise<void> {
    try {
      await this.#parts.timers.resume(actor);
    } catch (error) {
      this.#parts.log.failed("reading timers", error); // they are found by the next regular read
    }
  }

  #forgetFree(hold: Hold): void {
    const address = `${hold.actor.type}/${hold.actor.key}`;
    if (hold.pause === undefined && hold.waiting === undefined && this.#holds.get(address) === hold) {
      this.#holds.delete(address);
    }
  }

  #write(write: PauseWrite): Promise<void> {
    const { lanes, clock } = this.#parts;
    return new Promise((resolve, reject) => {
      const waiter = { succeed: () => resolve(), fail: reject };
      lanes.of(write.partition).add(pauseTurn(write, waiter, clock.now()));
    });
  }
}

function unavailable({ type, key }: ActorId, why: string): TroupeError {
  return new TroupeError("unavailable", `Cannot reach ${type}/${key} as ${why}`);
}
