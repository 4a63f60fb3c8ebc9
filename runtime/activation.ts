/**
 * One actor in memory: its mailbox, its state, the turns it runs one at a time.
 *
 * Owns: the state after the last finished turn, and the replies of handled message ids. Does not own: durability (the
 * commit lane), placement (the store host), timers (the timer service).
 * Calls in: `deliver`, `reload`, `discard`, and the lane's `committed`. Calls out: the host's `load`, `findReply`, `submit`.
 *
 * A1 at most one turn runs at a time (G1).
 * A2 nothing is answered that rests on a turn that is not durable: replies, refusals, queries and repeats wait behind
 *    the youngest uncommitted turn of this actor (G3, the output gate).
 * A3 a turn that did not end well leaves the state as it was before it (G2).
 * A4 after a failed commit the actor starts anew from the store; what it answered up to then was durable.
 */
import type { AnyActorType, AnyMessageDefinition } from "./any-actor.ts";
import { messageOf } from "./controls.ts";
import type { Envelope } from "./envelope.ts";
import { MailboxFullError, TroupeError } from "./errors.ts";
import { type Answer, FinishedTurn, type TurnOwner, type Waiter } from "./finished-turn.ts";
import { textHash } from "./hash.ts";
import { JournaledTurn, type JournalHost } from "./journal.ts";
import { MAX_STATE_LENGTH, REPLIES_IN_MEMORY } from "./limits.ts";
import { Mailbox } from "./mailbox.ts";
import type { ActorId, LoadedActor, StoredReply, TimerWrite } from "./ports/store.ts";
import { Turn, type TurnHost } from "./turn.ts";
import { parseInput } from "./validate.ts";

/** What an activation needs from the store host. */
export interface ActivationHost extends TurnHost, JournalHost {
  load(actor: ActorId): Promise<LoadedActor>;
  findReply(actor: ActorId, id: string): Promise<StoredReply | undefined>;
  /** Hands a finished turn to the commit lane of its partition. */
  submit(turn: FinishedTurn): void;
  /** Whether the due time a timer message carries is still the one that counts. */
  timerIsCurrent(actor: ActorId, name: string, dueAt: number): boolean;
  /** Whether this node may answer from memory: its lease cannot have run out. */
  mayServe(): boolean;
  /** Told of a handler that threw, which its caller only sees as `turn_failed`. */
  turnFailed(envelope: Envelope, error: unknown): void;
}

/** A message and whoever waits for its answer. */
export interface Delivery extends Waiter {
  readonly envelope: Envelope;
}

type Phase =
  | { readonly kind: "loading" }
  | { readonly kind: "idle" }
  /** `before` is the state the running turn started from, for queries that come meanwhile; made when first asked for. */
  | { readonly kind: "running"; before?: { readonly state: unknown } }
  /** Out of use: the host has forgotten it. */
  | { readonly kind: "gone" };

export class Activation implements TurnOwner {
  readonly type: AnyActorType;
  readonly id: ActorId;
  readonly address: string;
  readonly partition: number;
  lastUsed = 0;

  readonly #host: ActivationHost;
  readonly #mailbox: Mailbox<Delivery>;
  #phase: Phase = { kind: "loading" };
  #state: unknown;
  /** The state after the last finished turn, as JSON; `undefined` while the actor does not exist. */
  #text: string | undefined;
  /** Whether `#state` may differ from `#text` because a turn was dropped. */
  #tainted = false;
  #version = 0;
  #replies = new Map<string, StoredReply & { turn?: FinishedTurn }>();
  #repliesComplete = true;
  /** The youngest finished turn that is not durable yet. */
  #unsettled: FinishedTurn | undefined;
  /** Timers touched by turns that are not durable yet: newer than the timer service and the store. */
  #timers = new Map<string, TimerWrite>();
  /** Raised by every reload, so that what a turn of an earlier life leaves behind is recognised. */
  #life = 0;

  constructor(type: AnyActorType, id: ActorId, partition: number, host: ActivationHost) {
    this.type = type;
    this.id = id;
    this.address = `${id.type}/${id.key}`;
    this.partition = partition;
    this.#host = host;
    this.#mailbox = new Mailbox(type.options.mailbox?.max ?? 1_000);
    void this.#load();
  }

  /** Whether nothing would be lost by forgetting this actor. */
  get quiet(): boolean {
    return this.#phase.kind === "idle" && this.#mailbox.depth === 0 && this.#unsettled === undefined;
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
    if (definition.kind === "query" && this.#phase.kind !== "loading") {
      this.#query(delivery, definition);
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
    // A turn that still runs goes on to its end; `#life` makes its outcome count for nothing, then the load begins.
    if (this.#phase.kind === "running") return;
    this.#phase = { kind: "loading" };
    void this.#load();
  }

  /** The partition is about to move: what waits is answered with `error`, but for what a running turn waits for itself. */
  close(error: TroupeError): void {
    for (const delivery of this.#mailbox.drain()) {
      if (delivery.envelope.callers.length === 0) delivery.fail(error);
      else this.#mailbox.offer(delivery);
    }
  }

  /** Takes the actor out of use. Waiting messages are answered with `error`. */
  discard(error: TroupeError): void {
    this.#life++;
    this.#phase = { kind: "gone" };
    for (const delivery of this.#mailbox.drain()) delivery.fail(error);
  }

  /** The lane says: `turn` is durable. */
  committed(turn: FinishedTurn): void {
    if (this.#unsettled === turn) this.#unsettled = undefined;
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

  async #load(): Promise<void> {
    const life = this.#life;
    let loaded: LoadedActor;
    try {
      loaded = await this.#host.load(this.id);
    } catch (cause) {
      if (this.#life !== life) return;
      const error = new TroupeError("unavailable", `Cannot load ${this.address} from its store`, { cause });
      for (const delivery of this.#mailbox.drain()) delivery.fail(error);
      // Idle with nothing loaded would serve an empty actor; the next message has to try again.
      this.#phase = { kind: "gone" };
      return;
    }
    if (this.#life !== life || this.#phase.kind === "gone") return;
    this.#text = loaded.state;
    this.#version = loaded.version;
    this.#tainted = true;
    this.#repliesComplete = loaded.repliesComplete;
    this.#replies = new Map(loaded.replies.map((reply) => [reply.id, reply]));
    this.#phase = { kind: "idle" };
    this.#pump();
  }

  get gone(): boolean {
    return this.#phase.kind === "gone";
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
      input = parseInput(definition.in, envelope.input, `${envelope.message} for ${this.address}`);
    } catch (error) {
      delivery.fail(error);
      return;
    }
    if (id === undefined) {
      this.#run(delivery, definition, input, undefined);
      return;
    }
    const hash = textHash(`${envelope.message} ${JSON.stringify(input) ?? ""}`);
    const known = this.#replies.get(id);
    if (known !== undefined) {
      this.#repeat(delivery, known, hash);
    } else if (this.#repliesComplete) {
      this.#run(delivery, definition, input, hash);
    } else {
      this.#phase = { kind: "running" };
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
      this.#phase = { kind: "idle" };
      if (stored === undefined) this.#run(delivery, definition, input, hash);
      else this.#repeat(delivery, stored, hash);
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

  #repeat(delivery: Delivery, known: StoredReply & { turn?: FinishedTurn }, hash: string): void {
    if (known.hash !== hash) {
      delivery.fail(
        new TroupeError(
          "message_id_reused",
          `Cannot handle the message id ${known.id} of ${this.address} again with another input`,
        ),
      );
      return;
    }
    this.#gate(delivery, { kind: "reply", body: known.reply });
  }

  #run(delivery: Delivery, definition: AnyMessageDefinition, input: unknown, hash: string | undefined): void {
    this.#phase = { kind: "running" };
    const life = this.#life;
    const turn = new Turn(
      this.type,
      delivery.envelope,
      this.partition,
      this.#draft(),
      this.#text !== undefined,
      this.#host,
    );
    if (this.type.options.journal !== undefined) {
      turn.journal = new JournaledTurn(this.type, this.id, turn.state, this.#version, turn.exists, this.#host);
      turn.state = turn.journal.view;
    }
    let outcome: unknown;
    try {
      outcome = definition.handle(turn as never, input as never);
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
      delivery.fail(
        new TroupeError("commit_failed", `Cannot commit a turn of ${this.address} as an earlier one failed`),
      );
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
    this.#phase = { kind: "idle" };
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
    const finished = new FinishedTurn(this, delivery.envelope, turn, text, this.#version, stored);
    if (stored !== undefined) this.#remember(stored);
    this.#unsettled = finished;
    finished.wait(delivery, { kind: "reply", body });
    this.#host.submit(finished);
  }

  /** The turn did not end well: nothing of it stays (A3). A refusal may rest on an uncommitted turn, so it waits too. */
  #drop(delivery: Delivery, error: unknown, life: number): void {
    this.#tainted = true;
    this.#settlePhase(life);
    if (error instanceof TroupeError) {
      this.#gate(delivery, { kind: "error", error });
      return;
    }
    this.#host.turnFailed(delivery.envelope, error);
    const failed = new TroupeError(
      "turn_failed",
      `Cannot handle ${delivery.envelope.message} for ${this.address} as its handler failed`,
      {
        cause: error,
      },
    );
    this.#gate(delivery, { kind: "error", error: failed });
  }

  /** After a turn: idle again, or, when the actor was reloaded meanwhile, load now. */
  #settlePhase(life: number): void {
    if (this.#phase.kind === "gone") return;
    if (this.#life === life) {
      this.#phase = { kind: "idle" };
      return;
    }
    this.#phase = { kind: "loading" };
    void this.#load();
  }

  #query(delivery: Delivery, definition: AnyMessageDefinition): void {
    const { envelope } = delivery;
    if (!this.#host.mayServe()) {
      delivery.fail(
        new TroupeError("unavailable", `Cannot read ${this.address} as this node's lease has to be renewed first`),
      );
      return;
    }
    let answer: Answer;
    try {
      const input = parseInput(definition.in, envelope.input, `${envelope.message} for ${this.address}`);
      const c = { key: this.id.key, state: this.#readable(), exists: this.#text !== undefined, now: this.#host.now() };
      const reply = definition.handle(c as never, input as never);
      answer = { kind: "reply", body: reply === undefined ? undefined : JSON.stringify(reply) };
    } catch (error) {
      if (!(error instanceof TroupeError)) this.#host.turnFailed(envelope, error);
      const failed =
        error instanceof TroupeError
          ? error
          : new TroupeError("turn_failed", `Cannot read ${this.address}`, { cause: error });
      answer = { kind: "error", error: failed };
    }
    this.#gate(delivery, answer);
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

  #remember(reply: StoredReply): void {
    this.#replies.set(reply.id, reply);
    if (this.#replies.size <= REPLIES_IN_MEMORY) return;
    const oldest = this.#replies.keys().next().value;
    if (oldest !== undefined) this.#replies.delete(oldest);
    this.#repliesComplete = false;
  }

  #timerCounts(name: string, dueAt: number): boolean {
    const write = this.#timers.get(name);
    return write === undefined ? this.#host.timerIsCurrent(this.id, name, dueAt) : write.dueAt === dueAt;
  }
}
