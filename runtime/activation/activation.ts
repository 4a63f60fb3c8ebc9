/**
 * One actor in memory: its mailbox, and its lives one after the other.
 *
 * Owns: the mailbox, when a life begins and ends, the hooks. Does not own: what happens within a life (`Incarnation`),
 * durability (the commit lane), placement (the store host), timers (the timer service).
 * Calls in: `deliver`, `abandon`, `close`, `turnAway`, `reload`, `discard`, `passivate`, and the lane's `committed`. Calls
 * out: the reader's `load`, the directory's `evict` and `forget`, and the type's hooks.
 *
 * A1 at most one life is in use; the next one is loaded only when no turn of the last one runs any more (G1).
 * A4 after a failed commit the actor starts anew from the store; what it answered up to then was durable.
 * A5 `onActivate` has ended well before the first message is handled; each that did is followed by one `onPassivate`.
 * A6 once gone, an actor never handles a message again; the host has forgotten it by then.
 */

import type { AnyActorType, AnyMessageDefinition } from "../actor/any-actor.ts";
import { messageOf } from "../actor/control-messages.ts";
import type { LeaveReason } from "../actor/life.ts";
import { backoffMs } from "../base/backoff.ts";
import { durationMs } from "../base/duration.ts";
import { DEFAULT_IDLE, DEFAULT_TURN_LIMIT } from "../base/limits.ts";
import type { LaneRoom } from "../commit/lane-room.ts";
import type { Waiter, Delivery } from "../message/delivery.ts";
import { MailboxFullError, OverloadedError, TroupeError } from "../message/errors.ts";
import type { Envelope } from "../ports/envelope.ts";
import type { ActorId, TimerWrite } from "../ports/store.ts";
import type { FinishedTurn } from "../turn/finished-turn.ts";
import type { Sight } from "../watch/watch-polls.ts";
import type { ActivationParts } from "./activation-parts.ts";
import { Incarnation, type IncarnationOwner } from "./incarnation.ts";
import { LifeHooks } from "./life-hooks.ts";
import { type BroughtUp, bringUp } from "./load-actor.ts";
import type { LruEntry } from "./lru.ts";
import { Mailbox } from "./mailbox.ts";
import { HoldBack, RestartBackoff } from "./restart-backoff.ts";

type Phase =
  /** A life is being loaded, or will be as soon as the turn of the last one is over. */
  | { readonly kind: "loading" }
  | { readonly kind: "in-use"; readonly life: Incarnation }
  /** It could not be activated: messages are answered with `error` until a pause is over, the next one tries again. */
  | { readonly kind: "resting"; readonly until: number; readonly error: TroupeError }
  /** Out of use: the host has forgotten it. */
  | { readonly kind: "gone"; readonly reason: LeaveReason };

/** Rings of asks are rare, and waits for an answer short: an ask has waited for so long when it is looked for one. */
const RING_FIRST_MS = 50;
const RING_AGAIN_MS = 1_000;
/** Queries are cheaper than turns: so many may wait for a commit at least. */
const MIN_GATED = 1_000;

export class Activation implements IncarnationOwner, LruEntry {
  readonly type: AnyActorType;
  readonly id: ActorId;
  readonly address: string;
  readonly partition: number;
  readonly schemaVersion: number | undefined;
  readonly idleMs: number;
  readonly turnLimitMs: number;
  lastUsed = 0;
  older: LruEntry | undefined;
  newer: LruEntry | undefined;

  stalled = false;
  batch: object | undefined;
  blockedMessages = 0;
  readonly #parts: ActivationParts;
  readonly #room: LaneRoom;
  readonly #mailbox: Mailbox<Delivery>;
  readonly #hooks: LifeHooks;
  readonly #holdBack: HoldBack | undefined;
  #phase: Phase = { kind: "loading" };
  /** The last life, also after its end: what it has finished may still be on its way to the store. */
  #last: Incarnation | undefined;
  #failedActivations = 0;

  constructor(type: AnyActorType, id: ActorId, partition: number, parts: ActivationParts) {
    this.type = type;
    this.id = id;
    this.address = `${id.type}/${id.key}`;
    this.partition = partition;
    this.#parts = parts;
    this.#hooks = new LifeHooks(type, id, parts);
    const { version, idle, restart, mailbox } = type.options;
    this.schemaVersion = version;
    this.turnLimitMs = durationMs(type.options.turnLimit ?? DEFAULT_TURN_LIMIT);
    this.idleMs = durationMs(idle ?? DEFAULT_IDLE);
    this.#room = parts.lanes.of(partition).room;
    this.#mailbox = new Mailbox(mailbox?.max ?? 1_000, this.#room);
    if (restart !== undefined) {
      const backoff = new RestartBackoff(restart, parts.randomness);
      this.#holdBack = new HoldBack(backoff, parts.clock, this.#mailbox.max, (delivery, definition) =>
        this.deliver(delivery, definition),
      );
    }
    void this.#load();
  }

  /** Whether nothing is under way. Messages that a pause holds back are not. */
  get still(): boolean {
    const phase = this.#phase;
    if (phase.kind === "gone" || phase.kind === "resting") return true;
    return phase.kind === "in-use" && phase.life.idle && phase.life.settled && this.#mailbox.depth === 0;
  }

  get quiet(): boolean {
    return this.still && this.#holdBack?.empty !== false && !this.gone;
  }

  get gone(): boolean {
    return this.#phase.kind === "gone";
  }

  /** Whether something is under way that its partition's next owner could not know of. */
  get busy(): boolean {
    const phase = this.#phase;
    return this.#mailbox.depth > 0 || (phase.kind === "in-use" && !(phase.life.idle && phase.life.settled));
  }

  /** The actors that its turn waits for. */
  get waitingFor(): Iterable<string> {
    return this.#phase.kind === "in-use" ? this.#phase.life.waitingFor : [];
  }

  get depth(): number {
    return this.#mailbox.depth;
  }

  /** Changes of timers that finished turns made and that are not durable yet. */
  get timerWrites(): Iterable<TimerWrite> {
    return this.#phase.kind === "in-use" ? this.#phase.life.timerWrites : [];
  }

  /** Its definition of a message; `undefined` when it has no such message of its own. */
  definitionOf(message: string): AnyMessageDefinition | undefined {
    const { messages } = this.type;
    return Object.hasOwn(messages, message) ? messages[message] : undefined;
  }

  /** Takes a message. Its waiter is answered sooner or later, in every case. */
  deliver(delivery: Delivery, definition: AnyMessageDefinition): void {
    const phase = this.#phase;
    if (phase.kind !== "in-use") {
      if (!this.#refuses(phase, delivery)) this.#wait(delivery, definition);
    } else if (definition.kind === "query") {
      if (phase.life.gated < 2 * Math.max(this.#mailbox.max, MIN_GATED)) phase.life.query(delivery, definition);
      else this.#noRoom(delivery, new MailboxFullError(delivery.envelope, this.#mailbox.max));
    } else if (
      phase.life.idle &&
      this.#mailbox.depth === 0 &&
      this.#holdBack === undefined &&
      this.#mayBegin(phase.life)
    ) {
      phase.life.handle(delivery, definition);
      if (this.#mailbox.depth > 0) this.#pump();
    } else {
      this.#wait(delivery, definition);
    }
  }

  /** The partition is about to move: what waits is answered with `error`, but for what a running turn waits for itself. */
  close(error: TroupeError): void {
    for (const delivery of this.#mailbox.drain(({ envelope }) => envelope.callers.length === 0)) delivery.fail(error);
    if (this.stalled) this.wake();
  }

  /** Answers every waiting command with `error`, and leaves queries where they are. */
  turnAway(error: TroupeError): void {
    const isQuery = ({ envelope }: Delivery): boolean => messageOf(this.type, envelope.message)?.kind === "query";
    for (const delivery of this.#mailbox.drain((waiting) => !isQuery(waiting))) delivery.fail(error);
    if (this.stalled) this.wake();
  }

  /** Nobody waits for the answer to `envelope` any more: it leaves the mailbox, or its turn is told. */
  abandon(envelope: Envelope, reason: TroupeError): void {
    if (this.#phase.kind === "in-use" && this.#phase.life.abandon(envelope, reason)) return;
    this.#mailbox.remove((delivery) => delivery.envelope === envelope);
    if (this.stalled) this.wake();
  }

  /** The state after the last turn that ended well, once it is durable; nothing while it is not at hand. */
  sight(): Promise<Sight> | undefined {
    return this.#phase.kind === "in-use" ? this.#phase.life.sight() : undefined;
  }

  /** Answers `waiter` once every finished turn of this actor is durable, or will never be. */
  settled(waiter: Waiter): void {
    if (this.#last === undefined) waiter.succeed(undefined);
    else this.#last.whenSettled(waiter);
  }

  /** The lane says: `turn` is durable. */
  committed(turn: FinishedTurn): void {
    this.#last?.committed(turn);
  }

  /** There may be room for further turns. */
  wake(): void {
    this.stalled = false;
    this.#room.unblock(this);
    this.#pump();
  }

  threw(): void {
    this.#holdBack?.threw();
  }

  endedWell(): void {
    this.#holdBack?.endedWell();
  }

  turnEnded(): void {
    if (this.#phase.kind === "loading") void this.#load(); // Activation.A1: its life has ended before
    else this.#pump();
  }

  /** A commit of this actor failed: forget what it made of the state, and start anew from the store (Activation.A4). */
  reload(): void {
    const phase = this.#phase;
    if (phase.kind === "gone") return;
    this.#phase = { kind: "loading" }; // a load under way sees it and begins again
    if (this.stalled) this.wake();
    if (phase.kind === "loading") return;
    if (phase.kind === "in-use") phase.life.fail();
    if (phase.kind === "resting" || phase.life.idle) void this.#load();
  }

  /**
   * Takes the actor out of use, whatever it does: the host has forgotten it. Waiting messages are answered with `error`.
   * Returns what is left of it: its `onPassivate`, or nothing.
   */
  discard(error: TroupeError, reason: LeaveReason): Promise<void> | undefined {
    const phase = this.#phase;
    this.#phase = { kind: "gone", reason };
    this.#hooks.abort(error);
    for (const delivery of this.#mailbox.drain()) delivery.fail(error);
    if (this.stalled) this.wake();
    if (phase.kind === "in-use") phase.life.cut(error);
    return this.#hooks.passivate(this.#last?.text, reason);
  }

  /** Takes the actor out of use while it is quiet: the host has forgotten it. Returns its `onPassivate`, or nothing. */
  passivate(reason: LeaveReason): Promise<void> | undefined {
    this.#phase = { kind: "gone", reason };
    return this.#hooks.passivate(this.#last?.text, reason);
  }

  leave(reason: LeaveReason): void {
    if (!this.gone) this.#parts.actors.evict(this.id, reason);
  }

  /** Begins a new life; starts over when it was reloaded meanwhile. At most one load is under way. */
  async #load(): Promise<void> {
    const loading = { kind: "loading" } as Phase;
    this.#phase = loading;
    if (this.#hooks.activated) await this.#hooks.passivate(this.#last?.text, "restart");
    const outcome = await bringUp(this.type, this.id, this.#parts.reader, this.#hooks, () => this.#phase === loading);
    if (this.#phase === loading) this.#loaded(outcome);
    else if (this.#phase.kind === "gone") void this.#hooks.passivate(this.#last?.text, this.#phase.reason);
    else void this.#load();
  }

  #loaded(outcome: BroughtUp): void {
    switch (outcome.kind) {
      case "unreachable":
        // In use with nothing loaded it would serve an empty actor.
        this.#phase = { kind: "gone", reason: "restart" };
        this.#parts.actors.forget(this.id);
        break;
      case "unusable": {
        // It is loaded, but cannot be used: that is for the next message after a pause to try again.
        const pauseMs = backoffMs(++this.#failedActivations, this.#parts.randomness);
        this.#phase = { kind: "resting", until: this.#parts.clock.monotonic() + pauseMs, error: outcome.error };
        break;
      }
      case "ready":
        this.#failedActivations = 0;
        this.#last = new Incarnation(this, this.#parts, outcome.actor, outcome.text);
        this.#phase = { kind: "in-use", life: this.#last };
        this.#pump();
        return;
    }
    for (const delivery of this.#mailbox.drain()) delivery.fail(outcome.error);
  }

  /** Whether a message is answered with an error as the actor cannot be used now. A load may be under way afterwards. */
  #refuses(phase: Exclude<Phase, { readonly kind: "in-use" }>, delivery: Delivery): boolean {
    if (phase.kind === "loading") return false;
    if (phase.kind === "gone") {
      delivery.fail(new TroupeError("unavailable", `Cannot reach ${this.address} as it has just left this node`));
      return true;
    }
    if (this.#parts.clock.monotonic() < phase.until) {
      delivery.fail(phase.error);
      return true;
    }
    void this.#load();
    return false;
  }

  /** A message waits: for the pause after a throw to be over, or in the mailbox for its turn. */
  #wait(delivery: Delivery, definition: AnyMessageDefinition): void {
    if (this.#holdBack?.takes(delivery, definition)) return;
    const { callers } = delivery.envelope;
    if (callers.length > 0 && this.#crosses(new Set(callers), new Set())) {
      delivery.fail(crossingError(this.address, callers));
      return;
    }
    if (!this.#room.admits(isPatient(delivery)))
      this.#noRoom(delivery, new OverloadedError(this.address, this.#room.retryAfterMs));
    else if (this.#mailbox.offer(delivery)) {
      if (callers.length > 0) this.#watchForRing(delivery, RING_FIRST_MS);
      this.#pump();
    } else this.#noRoom(delivery, new MailboxFullError(delivery.envelope, this.#mailbox.max));
  }

  /** There is no room for a message (G9). */
  #noRoom(delivery: Delivery, error: TroupeError): void {
    this.#parts.metrics?.turnAway(this.id.type);
    delivery.fail(error);
  }

  /**
   * Whether the turn under way waits, itself or through the turns of others on this node, for one of the callers: who in turn
   * wait for this very message. Two that ask each other at once meet here.
   */
  #crosses(callers: ReadonlySet<string>, seen: Set<string>, waitingFor = this.waitingFor): boolean {
    for (const address of waitingFor) {
      if (callers.has(address)) return true;
      if (seen.has(address)) continue;
      seen.add(address);
      const slash = address.indexOf("/");
      const next = this.#parts.actors.find(address.slice(0, slash), address.slice(slash + 1));
      if (next !== undefined && this.#crosses(callers, seen, next.waitingFor)) return true;
    }
    return false;
  }

  /**
   * An ask that waits while the turn under way waits for others, on other nodes maybe: who may wait for this very ask. Of a ring
   * the ask to the actor with the lowest address fails, and another one only if that did not help.
   */
  #watchForRing(delivery: Delivery, pauseMs: number): void {
    if (isEmpty(this.waitingFor)) return;
    const { callers } = delivery.envelope;
    const isWaiting = (): boolean => this.#mailbox.has(delivery) && delivery.expired?.() !== true;
    this.#parts.clock.after(pauseMs, () => {
      if (!isWaiting() || isEmpty(this.waitingFor)) return;
      void this.#parts.askedInTurn(this.waitingFor, callers).then((way) => {
        if (!isWaiting()) return;
        const mine = way !== undefined && [...way, ...callers].every((address) => address >= this.address);
        if (way === undefined || (!mine && pauseMs === RING_FIRST_MS)) {
          this.#watchForRing(delivery, RING_AGAIN_MS);
          return;
        }
        this.#mailbox.remove((waiting) => waiting === delivery);
        delivery.fail(crossingError(this.address, callers));
      });
    });
  }

  /** Whether what waits for its commit leaves room for a further turn: of this actor, and of its lane (G9). */
  #mayBegin(life: Incarnation): boolean {
    return !this.#room.full && life.gated < this.#mailbox.max;
  }

  /** Messages wait for a commit: of this actor's turns, or for room in its lane. */
  #stall(): void {
    this.stalled = true;
    if (this.#room.full) this.#room.block(this, this.#mailbox.depth);
  }

  /** Runs waiting messages until one does not end at once, or none is left (Activation.A1). */
  #pump(): void {
    for (;;) {
      const phase = this.#phase;
      if (phase.kind !== "in-use" || !phase.life.idle || this.#mailbox.depth === 0) return;
      if (!this.#mayBegin(phase.life)) {
        this.#stall();
        return;
      }
      const delivery = this.#mailbox.take();
      if (delivery === undefined) return;
      if (delivery.expired?.()) continue;
      const definition = messageOf(this.type, delivery.envelope.message) as AnyMessageDefinition;
      if (definition.kind === "query") phase.life.query(delivery, definition);
      else phase.life.handle(delivery, definition);
    }
  }
}

/** Whether nobody waits for the answer, or whoever does holds up a turn or asks again by himself: then it is worth the wait. */
function isPatient({ envelope, deadline }: Delivery): boolean {
  return deadline === undefined || envelope.origin.kind !== "call" || envelope.callers.length > 0;
}

function isEmpty(items: Iterable<unknown>): boolean {
  for (const _ of items) return false;
  return true;
}

function crossingError(address: string, callers: readonly string[]): TroupeError {
  return new TroupeError(
    "call_cycle",
    `Cannot call ${address} as its turn waits for ${callers.at(-1)}, which would wait for this very call`,
  );
}
