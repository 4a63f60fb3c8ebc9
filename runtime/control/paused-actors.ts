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
import type { AnyMessageDefinition } from "../actor/any-actor.ts";
import type { Waiter, Delivery } from "../message/delivery.ts";
import { MailboxFullError, PausedError, TroupeError } from "../message/errors.ts";
import type { ActorId, Pause, PausedActor, PauseWrite } from "../ports/store.ts";

export interface HeldActorsHost {
  now(): number;
  /** Hands the write to the commit lane of its partition. */
  submitPause(write: PauseWrite, waiter: Waiter): void;
  /** Hands a message to its actor. */
  deliver(delivery: Delivery): void;
  /** An actor was paused: what waits in its mailbox is to be answered with `error`. */
  turnAway(actor: ActorId, error: TroupeError): void;
  /** An actor goes on: its timers may fire. */
  resumed(actor: ActorId): void;
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

export class HeldActors {
  readonly #host: HeldActorsHost;
  readonly #holds = new Map<string, Hold>();

  constructor(host: HeldActorsHost) {
    this.#host = host;
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
    const pause: Pause = { since: this.#host.now(), reason };
    hold.pause = pause; // H1
    this.#host.turnAway(actor, new PausedError(`${type}/${key}`, pause));
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
    await this.#write({ type, key, partition, since: undefined }); // H1
    if (hold.pause === pause) this.#goOn(hold);
  }

  /** Keeps an actor's messages while `work` runs; they go to it afterwards, whatever came of the work. */
  async reload(actor: ActorId & { readonly partition: number }, work: () => Promise<void>): Promise<void> {
    const hold = this.#hold(actor);
    if (hold.waiting !== undefined) throw unavailable(actor, "it is being loaded anew already");
    hold.waiting = [];
    try {
      await work(); // H2
    } finally {
      const waiting = hold.waiting ?? [];
      hold.waiting = undefined;
      this.#forgetFree(hold);
      for (const delivery of waiting) this.#host.deliver(delivery);
    }
  }

  /** Newly held partitions: these actors of theirs are paused. */
  load(rows: readonly PausedActor[]): void {
    for (const { type, key, partition, since, reason } of rows) {
      this.#hold({ type, key, partition }).pause = { since, reason };
    }
  }

  /** The partitions moved to another node. */
  drop(partitions: ReadonlySet<number>): void {
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
    this.#host.resumed(hold.actor);
  }

  #forgetFree(hold: Hold): void {
    const address = `${hold.actor.type}/${hold.actor.key}`;
    if (hold.pause === undefined && hold.waiting === undefined && this.#holds.get(address) === hold) {
      this.#holds.delete(address);
    }
  }

  #write(write: PauseWrite): Promise<void> {
    return new Promise((resolve, reject) => this.#host.submitPause(write, { succeed: () => resolve(), fail: reject }));
  }
}

function unavailable({ type, key }: ActorId, why: string): TroupeError {
  return new TroupeError("unavailable", `Cannot reach ${type}/${key} as ${why}`);
}
