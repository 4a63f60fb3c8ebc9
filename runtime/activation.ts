/**
 * One actor in memory: its mailbox, its state, the turns it runs one at a time.
 *
 * Owns: the state after the last finished turn, and the replies of handled message ids. Does not own: durability (the
 * commit lane), placement (the store host), timers (the timer service).
 * Calls in: `deliver`, `abandon`, `reload`, `discard`, `passivate`, and the lane's `committed`. Calls out: the host's
 * `load`, `findReply`, `submit`, `evict`, `forget`, and the type's hooks.
 *
 * A1 at most one turn runs at a time (G1).
 * A2 nothing is answered that rests on a turn that is not durable: replies, refusals and queries wait behind the youngest
 *    uncommitted turn of this actor, repeats behind the turn they repeat (G3, the output gate).
 * A3 a turn that did not end well leaves the state as it was before it (G2).
 * A4 after a failed commit the actor starts anew from the store; what it answered up to then was durable.
 * A5 `onActivate` has ended well before the first message is handled; each that did is followed by one `onPassivate`.
 * A6 once gone, an actor never handles a message again; the host has forgotten it by then.
 */
import type { ActivationHost, Delivery } from "./activation-host.ts";
import { answerQuery, type Readable } from "./answer-query.ts";
import type { AnyActorType, AnyMessageDefinition } from "./any-actor.ts";
import { backoffMs } from "./backoff.ts";
import { bringUp } from "./bring-up.ts";
import type { QueryContext } from "./context.ts";
import { messageOf } from "./controls.ts";
import { durationMs } from "./duration.ts";
import type { Envelope } from "./envelope.ts";
import { MailboxFullError, TroupeError } from "./errors.ts";
import { type Answer, FinishedTurn, type TurnOwner, type Waiter } from "./finished-turn.ts";
import { createAndHandle, failureOf } from "./handle.ts";
import { textHash } from "./hash.ts";
import { changedIndex } from "./index-filter.ts";
import { JournaledTurn } from "./journal.ts";
import { LifeHooks } from "./life-hooks.ts";
import type { LeaveReason } from "./life.ts";
import { DEFAULT_IDLE, MAX_STATE_LENGTH } from "./limits.ts";
import { Mailbox } from "./mailbox.ts";
import type { ActorId, FieldValue, TimerWrite } from "./ports/store.ts";
import { type KnownReply, misuseOf, Replies } from "./replies.ts";
import type { Resident } from "./residents.ts";
import { RestartBackoff } from "./restart-backoff.ts";
import { Turn } from "./turn.ts";
import { parseInput } from "./validate.ts";
import type { Sight } from "./watchers.ts";

type Phase =
  | { readonly kind: "loading" }
  | { readonly kind: "idle" }
  /**
   * A turn runs, or the reply to its id is being looked up: then there is no `turn` yet. `before` is the state it started
   * from, for queries that come meanwhile; made when first asked for.
   */
  | {
      readonly kind: "running";
      readonly delivery: Delivery;
      readonly turn?: Turn;
      before?: { readonly state: unknown };
    }
  /** It could not be activated: messages are answered with `error` until a pause is over, the next one tries again. */
  | { readonly kind: "resting"; readonly until: number; readonly error: TroupeError }
  /** Out of use: the host has forgotten it. */
  | { readonly kind: "gone"; readonly reason: LeaveReason };

const IDLE: Phase = { kind: "idle" };

export class Activation implements TurnOwner, Resident, Readable {
  readonly type: AnyActorType;
  readonly id: ActorId;
  readonly address: string;
  readonly partition: number;
  readonly schemaVersion: number | undefined;
  readonly idleMs: number;
  lastUsed = 0;
  older: Resident | undefined;
  newer: Resident | undefined;

  readonly #host: ActivationHost;
  readonly #mailbox: Mailbox<Delivery>;
  #phase: Phase = { kind: "loading" };
  #state: unknown;
  /** The state after the last finished turn, as JSON; `undefined` while the actor does not exist. */
  #text: string | undefined;
  /** Whether `#state` may differ from `#text` because a turn was dropped. */
  #tainted = false;
  #version = 0;
  readonly #replies = new Replies();
  /** The youngest finished turn that is not durable yet. */
  #unsettled: FinishedTurn | undefined;
  /** The indexed values after the last finished turn; `undefined` until a turn has written them. */
  #index: readonly FieldValue[] | undefined;
  /** Timers touched by turns that are not durable yet: newer than the timer service and the store. */
  #timers = new Map<string, TimerWrite>();
  /** Raised by every reload, so that what a turn of an earlier life leaves behind is recognised. */
  #life = 0;
  readonly #hooks: LifeHooks;
  #failedActivations = 0;
  readonly #restart: RestartBackoff | undefined;
  /** Messages held back by `#restart`. */
  #held = 0;

  constructor(type: AnyActorType, id: ActorId, partition: number, host: ActivationHost) {
    this.type = type;
    this.id = id;
    this.address = `${id.type}/${id.key}`;
    this.partition = partition;
    this.#host = host;
    this.#hooks = new LifeHooks(type, id, host);
    const { version, idle, restart, mailbox } = type.options;
    this.schemaVersion = version;
    this.idleMs = durationMs(idle ?? DEFAULT_IDLE);
    this.#restart = restart === undefined ? undefined : new RestartBackoff(restart, host.randomness);
    this.#mailbox = new Mailbox(mailbox?.max ?? 1_000);
    void this.#load();
  }

  /** Whether nothing is under way. Messages that a pause holds back are not. */
  get still(): boolean {
    const { kind } = this.#phase;
    if (kind === "gone" || kind === "resting") return true;
    return kind === "idle" && this.#mailbox.depth === 0 && this.#unsettled === undefined;
  }

  get quiet(): boolean {
    return this.still && this.#held === 0 && !this.gone;
  }

  get gone(): boolean {
    return this.#phase.kind === "gone";
  }

  /** Whether something is under way that its partition's next owner could not know of. */
  get busy(): boolean {
    return this.#phase.kind === "running" || this.#unsettled !== undefined || this.#mailbox.depth > 0;
  }

  get depth(): number {
    return this.#mailbox.depth;
  }

  /** Takes a message. Its waiter is answered sooner or later, in every case. */
  deliver(delivery: Delivery, definition: AnyMessageDefinition): void {
    if (this.#phase.kind === "gone") {
      delivery.fail(new TroupeError("unavailable", `Cannot reach ${this.address} as it has just left this node`));
      return;
    }
    if (this.#phase.kind === "resting" && !this.#rested(this.#phase, delivery)) return;
    if (definition.kind === "query" && this.#phase.kind !== "loading") {
      this.#query(delivery, definition);
      return;
    }
    if (this.#restart !== undefined && this.#hold(this.#restart, delivery, definition)) return;
    if (this.#phase === IDLE && this.#mailbox.depth === 0) {
      this.#begin(delivery, definition);
      this.#pump();
      return;
    }
    if (!this.#mailbox.offer(delivery)) {
      delivery.fail(new MailboxFullError(delivery.envelope, this.#mailbox.max));
      return;
    }
    if (this.#phase.kind === "idle") this.#pump();
  }

  /** A commit of this actor failed: forget what it made of the state, and start anew from the store (A4). */
  reload(): void {
    if (this.#phase.kind === "gone") return;
    this.#life++;
    this.#unsettled = undefined;
    this.#timers.clear();
    const phase = this.#phase;
    // A load under way begins again by itself.
    if (phase.kind === "loading") return;
    this.#phase = { kind: "loading" };
    // A turn that still runs goes on to its end; `#life` makes its outcome count for nothing, then the load begins.
    if (phase.kind === "running") phase.turn?.abort(this.#lostTurn());
    else void this.#load();
  }

  /** The partition is about to move: what waits is answered with `error`, but for what a running turn waits for itself. */
  close(error: TroupeError): void {
    for (const delivery of this.#mailbox.drain()) {
      if (delivery.envelope.callers.length === 0) delivery.fail(error);
      else this.#mailbox.offer(delivery);
    }
  }

  /**
   * Nobody waits for the answer to `envelope` any more: it leaves the mailbox, or its turn is told. A send is tried again until it is
   * handled: its turn, though slow, is still wanted.
   */
  abandon(envelope: Envelope, reason: TroupeError): void {
    const phase = this.#phase;
    if (phase.kind !== "running" || phase.delivery.envelope !== envelope) {
      this.#mailbox.remove((delivery) => delivery.envelope === envelope);
    } else if (envelope.origin.kind !== "send") {
      phase.turn?.abort(reason);
    }
  }

  /** The state after the last turn that ended well, once it is durable; nothing while it is not at hand. */
  sight(): Promise<Sight> | undefined {
    if (this.#phase.kind !== "idle" && this.#phase.kind !== "running") return undefined;
    const sight = { version: this.#version, state: this.#text };
    return new Promise((resolve, reject) => {
      this.#gate({ succeed: () => resolve(sight), fail: reject }, { kind: "reply", body: undefined });
    });
  }

  /**
   * Takes the actor out of use, whatever it does: the host has forgotten it. Waiting messages are answered with `error`.
   * Returns what is left of it: its `onPassivate`, or nothing.
   */
  discard(error: TroupeError, reason: LeaveReason): Promise<void> | undefined {
    const phase = this.#phase;
    this.#life++;
    this.#phase = { kind: "gone", reason };
    this.#hooks.abort(error);
    for (const delivery of this.#mailbox.drain()) delivery.fail(error);
    if (phase.kind === "running") {
      phase.turn?.abort(error);
      phase.delivery.fail(phase.turn !== undefined && error.code === "unavailable" ? this.#lostTurn() : error);
    }
    return this.#hooks.passivate(this.#text, reason);
  }

  /** Takes the actor out of use while it is quiet: the host has forgotten it. Returns its `onPassivate`, or nothing. */
  passivate(reason: LeaveReason): Promise<void> | undefined {
    this.#life++;
    this.#phase = { kind: "gone", reason };
    return this.#hooks.passivate(this.#text, reason);
  }

  leave(reason: LeaveReason): void {
    if (this.#phase.kind !== "gone") this.#host.evict(this.id, reason);
  }

  /** The lane says: `turn` is durable. */
  committed(turn: FinishedTurn): void {
    if (this.#unsettled === turn) this.#unsettled = undefined;
    if (turn.reply !== undefined) this.#replies.settled(turn.reply.id, turn);
    if (turn.timers === undefined) return;
    for (const write of turn.timers.values()) {
      if (this.#timers.get(write.name) === write) this.#timers.delete(write.name);
    }
  }

  /** Changes of timers that finished turns made and that are not durable yet. */
  get timerWrites(): ReadonlyMap<string, TimerWrite> {
    return this.#timers;
  }

  /** Answers every waiting command with `error`, and leaves queries where they are. */
  turnAway(error: TroupeError): void {
    for (const delivery of this.#mailbox.drain()) {
      if (messageOf(this.type, delivery.envelope.message)?.kind === "query") this.#mailbox.offer(delivery);
      else delivery.fail(error);
    }
  }

  /** Answers `waiter` once every finished turn of this actor is durable, or will never be. */
  settled(waiter: Waiter): void {
    this.#gate(waiter, { kind: "reply", body: undefined });
  }

  /** Brings the actor into use; starts over when it was reloaded meanwhile. At most one load is under way. */
  async #load(): Promise<void> {
    const life = this.#life;
    if (this.#hooks.activated) await this.#hooks.passivate(this.#text, "restart");
    const outcome = await bringUp(this.type, this.id, this.#host, this.#hooks, () => this.#life === life);
    if (this.#life !== life) {
      if (this.#phase.kind === "gone") void this.#hooks.passivate(this.#text, this.#phase.reason);
      else void this.#load();
      return;
    }
    switch (outcome.kind) {
      case "unreachable":
        // Idle with nothing loaded would serve an empty actor.
        this.#phase = { kind: "gone", reason: "restart" };
        this.#host.forget(this.id);
        for (const delivery of this.#mailbox.drain()) delivery.fail(outcome.error);
        return;
      case "unusable":
        this.#rest(outcome.error);
        return;
      case "ready":
        this.#failedActivations = 0;
        this.#text = outcome.text;
        this.#version = outcome.actor.version;
        this.#tainted = true;
        this.#index = undefined;
        this.#replies.load(outcome.actor);
        this.#phase = IDLE;
        this.#pump();
    }
  }

  /** It is loaded, but cannot be used: that is for the next message after a pause to try again. */
  #rest(error: TroupeError): void {
    const until = this.#host.clock.monotonic() + backoffMs(++this.#failedActivations, this.#host.randomness);
    this.#phase = { kind: "resting", until, error };
    for (const delivery of this.#mailbox.drain()) delivery.fail(error);
  }

  /** Whether the pause is over, and a load under way that `delivery` may wait for. Otherwise it is answered. */
  #rested({ until, error }: { readonly until: number; readonly error: TroupeError }, delivery: Delivery): boolean {
    if (this.#host.clock.monotonic() < until) {
      delivery.fail(error);
      return false;
    }
    this.#phase = { kind: "loading" };
    void this.#load();
    return true;
  }

  /** What answers a turn that can no longer be committed. It may have asked others, so its caller is not to ask again by itself. */
  #lostTurn(): TroupeError {
    return new TroupeError(
      "commit_failed",
      `Cannot commit a turn of ${this.address} as an earlier one failed, or the actor left this node`,
    );
  }

  /** Holds a message back that nobody waits for while the pause after a throw lasts; then it comes again. */
  #hold(restart: RestartBackoff, delivery: Delivery, definition: AnyMessageDefinition): boolean {
    const { kind } = delivery.envelope.origin;
    if (kind !== "timer" && kind !== "send") return false;
    const { clock } = this.#host;
    const ms = restart.remainingMs(this.#version, clock.monotonic());
    if (ms <= 0 || this.#held >= this.#mailbox.max) return false;
    this.#held++;
    clock.after(ms, () => {
      this.#held--;
      if (delivery.expired?.() !== true) this.deliver(delivery, definition);
    });
    return true;
  }

  /** Runs waiting messages until one does not end at once, or none is left (A1). */
  #pump(): void {
    while (this.#phase.kind === "idle") {
      const delivery = this.#mailbox.take();
      if (delivery === undefined) return;
      if (delivery.expired?.()) continue;
      const definition = messageOf(this.type, delivery.envelope.message) as AnyMessageDefinition;
      if (definition.kind === "query") this.#query(delivery, definition);
      else this.#begin(delivery, definition);
    }
  }

  #begin(delivery: Delivery, definition: AnyMessageDefinition): void {
    const { envelope } = delivery;
    const { origin, id } = envelope;
    if (origin.kind === "timer" && !this.#timerCounts(origin.name, origin.dueAt)) {
      delivery.succeed(undefined);
      return;
    }
    let input: unknown;
    try {
      input = parseInput(definition.in, envelope.input, envelope.message, this.address);
    } catch (error) {
      delivery.fail(error);
      return;
    }
    if (id === undefined) {
      this.#run(delivery, definition, input, undefined);
      return;
    }
    const hash = textHash(`${envelope.message} ${JSON.stringify(input) ?? ""}`);
    const known = this.#replies.find(id);
    if (known !== undefined) {
      this.#repeat(delivery, known, hash);
    } else if (this.#replies.complete) {
      this.#run(delivery, definition, input, hash);
    } else {
      this.#phase = { kind: "running", delivery };
      void this.#lookUpAndRun(delivery, definition, input, id, hash);
    }
  }

  /** The id is not among the replies at hand, but older ones are stored: ask before running (G5). */
  async #lookUpAndRun(
    delivery: Delivery,
    definition: AnyMessageDefinition,
    input: unknown,
    id: string,
    hash: string,
  ): Promise<void> {
    const life = this.#life;
    try {
      const stored = await this.#host.findReply(this.id, id);
      if (this.#life !== life)
        throw new TroupeError("unavailable", `Cannot handle a message of ${this.address} as it is being reloaded`);
      this.#phase = IDLE;
      if (stored !== undefined) this.#repeat(delivery, stored, hash);
      else if (delivery.expired?.() !== true) this.#run(delivery, definition, input, hash);
    } catch (cause) {
      const error =
        cause instanceof TroupeError
          ? cause
          : new TroupeError("unavailable", `Cannot look up a reply of ${this.address}`, { cause });
      delivery.fail(error);
      this.#settlePhase(life);
    }
    this.#pump();
  }

  /** A repeat rests on the turn it repeats alone: what came later may fail without it. */
  #repeat(delivery: Delivery, known: KnownReply, hash: string): void {
    const misuse = misuseOf(known, hash, this.address);
    if (misuse !== undefined) delivery.fail(misuse);
    else if (known.turn === undefined) delivery.succeed(known.reply);
    else known.turn.wait(delivery, { kind: "reply", body: known.reply });
  }

  #run(delivery: Delivery, definition: AnyMessageDefinition, input: unknown, hash: string | undefined): void {
    const life = this.#life;
    const { type } = this;
    const exists = this.#text !== undefined;
    let turn: Turn;
    let outcome: unknown;
    try {
      turn = new Turn(type, delivery.envelope, this.partition, this.#draft(), exists, this.#host, delivery.deadline);
      if (type.options.journal !== undefined) {
        turn.journal = new JournaledTurn(type, this.id, turn.state, this.#version, exists, this.#host);
        turn.state = turn.journal.view;
      }
      this.#phase = { kind: "running", delivery, turn };
      outcome =
        exists || type.options.onCreate === undefined
          ? definition.handle(turn as never, input as never)
          : createAndHandle(type, turn, definition, input);
    } catch (error) {
      this.#drop(delivery, error, life);
      return;
    }
    if (outcome instanceof Promise) {
      outcome.then(
        (reply) => {
          this.#finish(delivery, turn, reply, hash, life);
          this.#pump();
        },
        (error: unknown) => {
          this.#drop(delivery, error, life);
          this.#pump();
        },
      );
      return;
    }
    this.#finish(delivery, turn, outcome, hash, life);
  }

  /** The turn ended well: take its state, and hand everything it leaves to the lane as one piece (G2). */
  #finish(delivery: Delivery, turn: Turn, reply: unknown, hash: string | undefined, life: number): void {
    if (this.#life !== life) {
      delivery.fail(this.#lostTurn());
      this.#settlePhase(life);
      return;
    }
    const { origin, id } = delivery.envelope;
    const { journal } = turn;
    let text: string | undefined;
    let body: string | undefined;
    try {
      if (origin.kind === "timer") turn.timers.fired(origin);
      if (!turn.destroyed)
        text = journal === undefined ? JSON.stringify(turn.state) : journal.text(turn.state, this.#text);
      body = reply === undefined ? undefined : JSON.stringify(reply);
    } catch (error) {
      this.#drop(delivery, error, life);
      return;
    }
    if (text !== undefined && text.length > MAX_STATE_LENGTH) {
      const message = `Cannot commit the state of ${this.address} as it is too large: size is ${text.length}, limit is ${MAX_STATE_LENGTH}`;
      this.#drop(delivery, new TroupeError("state_too_large", message), life);
      return;
    }
    const changed = turn.destroyed ? this.#text !== undefined : text !== this.#text;
    if (journal !== undefined && turn.destroyed && changed) journal.destroyed();
    this.#state = journal === undefined ? turn.state : journal.state;
    this.#tainted = turn.destroyed;
    this.#phase = IDLE;
    if (
      !changed &&
      !journal?.forced &&
      hash === undefined &&
      turn.effects === undefined &&
      turn.timerWrites === undefined
    ) {
      this.#gate(delivery, { kind: "reply", body });
      return;
    }
    this.#text = text;
    this.#version = journal === undefined ? this.#version + 1 : journal.version;
    for (const write of turn.timerWrites?.values() ?? []) this.#timers.set(write.name, write);
    const stored = id !== undefined && hash !== undefined ? { id, hash, reply: body } : undefined;
    const index = this.type.options.index === undefined ? undefined : this.#reindex(turn);
    const finished = new FinishedTurn(this, delivery.envelope, turn, text, this.#version, stored, undefined, index);
    if (stored !== undefined) this.#replies.remember({ ...stored, turn: finished });
    this.#unsettled = finished;
    finished.wait(delivery, { kind: "reply", body });
    this.#host.submit(finished);
  }

  /** The indexed values, when this turn changed them. */
  #reindex(turn: Turn): readonly FieldValue[] | undefined {
    const values = changedIndex(this.type, turn.destroyed ? undefined : turn.state, this.#index);
    this.#index = values ?? this.#index;
    return values;
  }

  /** The turn did not end well: nothing of it stays (A3). A refusal may rest on an uncommitted turn, so it waits too. */
  #drop(delivery: Delivery, error: unknown, life: number): void {
    this.#tainted = true;
    this.#settlePhase(life);
    if (this.#life !== life) {
      // Whatever it says rests on a state that never was.
      delivery.fail(this.#lostTurn());
      return;
    }
    if (!(error instanceof TroupeError)) {
      this.#restart?.threw(this.#version, this.#host.clock.monotonic());
      this.#host.turnFailed(delivery.envelope, error);
    }
    this.#gate(delivery, { kind: "error", error: failureOf(error, delivery.envelope) });
  }

  /** After a turn: idle again, or, when the actor was reloaded meanwhile, load now. */
  #settlePhase(life: number): void {
    if (this.#phase.kind === "gone") return;
    if (this.#life === life) {
      this.#phase = IDLE;
      return;
    }
    this.#phase = { kind: "loading" };
    void this.#load();
  }

  #query(delivery: Delivery, definition: AnyMessageDefinition): void {
    if (!this.#host.mayServe()) {
      delivery.fail(
        new TroupeError("unavailable", `Cannot read ${this.address} as this node's lease has to be renewed first`),
      );
      return;
    }
    this.#gate(delivery, answerQuery(this, delivery.envelope, definition, this.#host));
  }

  look(): QueryContext<unknown> {
    const { key } = this.id;
    return { key, state: this.#readable() as never, exists: this.#text !== undefined, now: this.#host.now() };
  }

  /** The state a new turn works on. */
  #draft(): unknown {
    if (this.#tainted) {
      this.#state = this.#fresh();
      this.#tainted = false;
    }
    return this.#state;
  }

  /** The state a query may see: never the half-done work of a running turn. */
  #readable(): unknown {
    if (this.#phase.kind !== "running") return this.#draft();
    return (this.#phase.before ??= { state: this.#fresh() }).state;
  }

  #fresh(): unknown {
    return this.#text === undefined ? this.type.options.initial(this.id.key) : JSON.parse(this.#text);
  }

  /** Answers now, or with the youngest uncommitted turn (A2). */
  #gate(waiter: Waiter, answer: Answer): void {
    if (this.#unsettled !== undefined) this.#unsettled.wait(waiter, answer);
    else if (answer.kind === "reply") waiter.succeed(answer.body);
    else waiter.fail(answer.error);
  }

  #timerCounts(name: string, dueAt: number): boolean {
    const write = this.#timers.get(name);
    return write === undefined ? this.#host.timerIsCurrent(this.id, name, dueAt) : write.dueAt === dueAt;
  }
}
