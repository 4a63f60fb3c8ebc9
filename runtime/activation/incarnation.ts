/**
 * One life of an actor: from the load that brought it into memory to the failed commit or the leaving that ends it.
 *
 * Owns: its turns, the state they leave, the replies of handled message ids. Does not own: the mailbox, and when a life
 * begins and ends (the activation); durability (the commit lane).
 * Calls in: `handle`, `query`, `abandon`, `fail`, `cut`, `committed`. Calls out: its owner's `turnEnded` and `threw`, the
 * reader's `findReply`, the commit lane's `add`.
 *
 * A1 at most one turn runs at a time (G1).
 * A2, A3: `OutputGate`, `ActorState`.
 * A4 once a life has ended, no turn of it leaves anything: the one that runs goes on to its end for nothing.
 */

import type { AnyActorType, AnyMessageDefinition } from "../actor/any-actor.ts";
import { MAX_STATE_LENGTH } from "../base/limits.ts";
import type { CommitLane } from "../commit/commit-lane.ts";
import { JournaledTurn } from "../journal/journaled-turn.ts";
import type { Answer, Waiter, Delivery } from "../message/delivery.ts";
import { InvalidInputError, RefusedError, TroupeError } from "../message/errors.ts";
import { exactJson } from "../message/exact-json.ts";
import { replyText } from "../message/reply-text.ts";
import { parseInput } from "../message/validate.ts";
import type { Envelope } from "../ports/envelope.ts";
import type { LoadedActor, TimerWrite } from "../ports/store.ts";
import type { Span } from "../ports/tracing.ts";
import { ActorState } from "../turn/actor-state.ts";
import { finishTurn, refusedTurn, stateTooLarge } from "../turn/finished-turn.ts";
import type { FinishedTurn, TurnOwner } from "../turn/finished-turn.ts";
import { freeze } from "../turn/freeze.ts";
import { failureOf } from "../turn/handlers.ts";
import { isDerivedId } from "../turn/turn-asks.ts";
import { Turn } from "../turn/turn.ts";
import type { Sight } from "../watch/watch-polls.ts";
import type { ActivationParts } from "./activation-parts.ts";
import { AwaitedTurn, type AwaitingLife } from "./awaited-turn.ts";
import { OutputGate } from "./output-gate.ts";
import { Queries } from "./queries.ts";
import { answerRepeat, InputHash, type KnownReply, refusalReply, ReplyCache } from "./reply-cache.ts";
import { BEGUN, NONE, type Work } from "./work.ts";

/** What a life needs from the actor it is one of. */
export interface IncarnationOwner extends TurnOwner {
  readonly type: AnyActorType;
  /** A turn that did not end at once is over. */
  turnEnded(): void;
  /** A handler threw what is no refusal. */
  threw(): void;
  /** A turn ended well, and left something to be written. */
  endedWell(): void;
  /** How long a turn may take, in milliseconds. */
  readonly turnLimitMs: number;
}

export class Incarnation implements AwaitingLife {
  readonly address: string;
  readonly #stateName: string;
  readonly #owner: IncarnationOwner;
  readonly #parts: ActivationParts;
  readonly #lane: CommitLane;
  readonly #state: ActorState;
  readonly #replies: ReplyCache;
  readonly #uncommitted = new OutputGate();
  /** Made with the first query: many actors get none. */
  #queries: Queries | undefined;
  #work: Work = NONE;
  #ended = false;

  /** @param text the state as JSON, of the newest schema version. */
  constructor(owner: IncarnationOwner, parts: ActivationParts, loaded: LoadedActor, text: string | undefined) {
    this.address = owner.address;
    this.#stateName = `the state of ${owner.address}`;
    this.#owner = owner;
    this.#parts = parts;
    this.#lane = parts.lanes.of(owner.partition);
    this.#state = new ActorState(owner.type, owner.id.key, text, loaded.version);
    this.#replies = new ReplyCache(loaded, owner.id, parts.reader);
  }

  /** Whether the next message may be handled (Incarnation.A1). */
  get idle(): boolean {
    return this.#work === NONE;
  }

  /** Whether everything it has done is durable. */
  get settled(): boolean {
    return this.#uncommitted.none;
  }

  /** Answers that wait for a commit. */
  get gated(): number {
    return this.#uncommitted.gated;
  }

  get text(): string | undefined {
    return this.#state.text;
  }

  get version(): number {
    return this.#state.version;
  }

  /** Changes of timers that are not durable yet. */
  get timerWrites(): Iterable<TimerWrite> {
    return this.#uncommitted.timers.values();
  }

  /** The actors that the turn under way waits for. */
  get waitingFor(): Iterable<string> {
    return this.#work.kind === "awaiting" ? this.#work.turn.waitingFor : [];
  }

  /** Handles a command while it is idle. It may be idle again afterwards; if not, its owner is told once it is. */
  handle(delivery: Delivery, definition: AnyMessageDefinition): void {
    const { envelope } = delivery;
    const { origin, id, message } = envelope;
    if (origin.kind === "timer" && !this.#timerCounts(origin.name, origin.dueAt)) {
      delivery.succeed(undefined);
      return;
    }
    if (id === undefined) {
      this.#parse(delivery, definition, undefined);
      return;
    }
    const hash = new InputHash(message, envelope.input);
    const known = this.#replies.find(id);
    if (known instanceof Promise) void this.#whenKnown(known, delivery, definition, hash);
    else this.#runOnce(known, delivery, definition, hash);
  }

  /** A message that is new: its turn begins if its input fits. */
  #parse(delivery: Delivery, definition: AnyMessageDefinition, hash: InputHash | undefined): void {
    const { envelope } = delivery;
    let input: unknown;
    try {
      input = parseInput(definition.in, envelope.input, envelope.message, this.address);
    } catch (error) {
      delivery.fail(error);
      return;
    }
    hash?.parsed(input);
    this.#run(delivery, definition, input, hash);
  }

  /** Answers a query, also beside a running turn. */
  query(delivery: Delivery, definition: AnyMessageDefinition): void {
    this.#queries ??= this.#makeQueries();
    this.#queries.answer(delivery, definition);
  }

  #makeQueries(): Queries {
    const { address, id } = this.#owner;
    const [state, gate] = [this.#state, this.#uncommitted];
    return new Queries({ address, key: id.key, state, gate, work: () => this.#work }, this.#parts);
  }

  /** The state after the last turn that ended well, once it is durable. */
  sight(): Promise<Sight> {
    const sight = { version: this.#state.version, state: this.#state.text };
    return new Promise((resolve, reject) => this.whenSettled({ succeed: () => resolve(sight), fail: reject }));
  }

  /** Answers `waiter` once every finished turn is durable, or will never be. */
  whenSettled(waiter: Waiter): void {
    this.#uncommitted.reply(waiter, undefined);
  }

  /**
   * Nobody waits for the answer to `envelope` any more. Returns whether it is being handled. A send is tried again until it
   * is handled: its turn, though slow, is still wanted.
   */
  abandon(envelope: Envelope, reason: TroupeError): boolean {
    const work = this.#work;
    if (work.kind === "none" || work.kind === "begun" || work.delivery.envelope !== envelope) return false;
    if (work.kind === "awaiting" && envelope.origin.kind !== "send") work.turn.abort(reason);
    return true;
  }

  /** A turn of it is durable. */
  committed(turn: FinishedTurn): void {
    this.#uncommitted.committed(turn);
    this.#replies.committed(turn);
  }

  /** Ends this life: a commit of it failed (Incarnation.A4). */
  fail(): void {
    this.#ended = true;
    if (this.#work.kind === "awaiting") this.#work.turn.abort(this.#lostTurn());
  }

  /** Ends this life: the actor leaves the node. The message under way is answered at once. */
  cut(error: TroupeError): void {
    this.#ended = true;
    const work = this.#work;
    if (work.kind === "none" || work.kind === "begun") return;
    if (work.kind === "awaiting") work.turn.abort(error);
    work.delivery.fail(work.kind === "awaiting" && error.code === "unavailable" ? this.#lostTurn() : error);
  }

  /** The reply to its id is being looked up: no other message may have its turn before (G5). */
  async #whenKnown(
    lookUp: Promise<KnownReply | undefined>,
    delivery: Delivery,
    definition: AnyMessageDefinition,
    hash: InputHash,
  ): Promise<void> {
    this.#work = { kind: "looking-up", delivery };
    try {
      const known = await lookUp;
      if (this.#ended)
        throw new TroupeError("unavailable", `Cannot handle a message of ${this.address} as it is being reloaded`);
      this.#work = NONE;
      if (delivery.expired?.() !== true || known !== undefined) this.#runOnce(known, delivery, definition, hash);
    } catch (cause) {
      const text = `Cannot look up a reply of ${this.address}`;
      delivery.fail(cause instanceof TroupeError ? cause : new TroupeError("unavailable", text, { cause }));
      this.#work = NONE;
    }
    if (this.idle) this.#owner.turnEnded();
  }

  /** A message that carries an id: what was answered before is answered again, and only a new one has a turn. */
  #runOnce(known: KnownReply | undefined, delivery: Delivery, definition: AnyMessageDefinition, hash: InputHash): void {
    if (known === undefined) {
      this.#parse(delivery, definition, hash);
      return;
    }
    // What the schema makes of the input tells more than what came, where it can still be read.
    if (!hash.fits(known.hash)) {
      try {
        const { input, message } = delivery.envelope;
        hash.parsed(parseInput(definition.in, input, message, this.address));
      } catch {
        // Then it is another message.
      }
    }
    answerRepeat(delivery, known, hash, this.address, this.#uncommitted);
  }

  #run(delivery: Delivery, definition: AnyMessageDefinition, input: unknown, hash: InputHash | undefined): void {
    const { type, id, partition } = this.#owner;
    const state = this.#state;
    let turn: Turn;
    let outcome: unknown;
    try {
      turn = new Turn(type, delivery.envelope, partition, state.draft(), state.exists, this.#parts, delivery.deadline);
      turn.span = this.#parts.spans?.turn(delivery.envelope);
      if (type.options.journal !== undefined) {
        turn.journal = new JournaledTurn(type, id, turn.draft, state.version, turn.exists, this.#parts.reader);
        turn.draft = turn.journal.view;
      }
    } catch (error) {
      this.#drop(delivery, undefined, error, undefined);
      return;
    }
    try {
      this.#work = BEGUN;
      outcome = turn.handle(definition, input);
    } catch (error) {
      this.#drop(delivery, turn, error, hash);
      return;
    }
    if (!(outcome instanceof Promise)) {
      this.#finish(delivery, turn, outcome, hash);
      return;
    }
    this.#await(delivery, turn, outcome, hash);
  }

  /** The handler awaits: until it is done, or its time is over. */
  #await(delivery: Delivery, turn: Turn, outcome: Promise<unknown>, hash: InputHash | undefined): void {
    const { clock, turnLimits } = this.#parts;
    const limitMs = this.#owner.turnLimitMs;
    const work = new AwaitedTurn(delivery, turn, clock.monotonic() + limitMs, this);
    this.#work = work;
    turnLimits.add(work, limitMs);
    outcome.then(
      (reply) => {
        if (!this.#ends(work)) return;
        this.#finish(delivery, turn, reply, hash);
        this.#owner.turnEnded();
      },
      (error: unknown) => {
        if (!this.#ends(work)) return;
        this.#drop(delivery, turn, error, hash);
        this.#owner.turnEnded();
      },
    );
  }

  /** The time of a turn is over. */
  late(work: AwaitedTurn): void {
    if (this.#work !== work) return;
    const { delivery, turn } = work;
    const { message } = delivery.envelope;
    const text = `Cannot wait longer for ${message} of ${this.address}: limit is ${this.#owner.turnLimitMs} ms`;
    turn.abort(new TroupeError("turn_failed", text));
    this.#drop(delivery, turn, new Error(text), undefined);
    this.#owner.turnEnded();
  }

  /** Whether a turn that awaited ends now; `false` where its time was over before. */
  #ends(work: AwaitedTurn): boolean {
    if (this.#work !== work) return false;
    this.#parts.turnLimits.remove(work);
    return true;
  }

  /** The turn ended well: everything it leaves goes to the lane, and its caller waits for that (OutputGate.A2). */
  #finish(delivery: Delivery, turn: Turn, reply: unknown, hash: InputHash | undefined): void {
    turn.seal();
    if (this.#ended) {
      this.#lose(delivery, turn);
      return;
    }
    const { envelope } = delivery;
    const state = this.#state;
    let text: string | undefined;
    let body: string | undefined;
    try {
      if (envelope.origin.kind === "timer") turn.timers.fired(envelope.origin);
      if (!turn.destroyed) {
        text =
          turn.journal === undefined
            ? exactJson(turn.draft, this.#stateName)
            : turn.journal.text(turn.draft, state.text);
      }
      if (text !== undefined && text.length > MAX_STATE_LENGTH) throw stateTooLarge(this.address, text.length);
      body = replyText(reply, this.address, envelope.message);
    } catch (error) {
      this.#drop(delivery, turn, error, undefined);
      return;
    }
    const awaited = this.#work.kind === "awaiting";
    this.#work = NONE;
    // What an ask inside another turn was answered need not be kept where nothing came of it: it may be asked again.
    const keeps = hash !== undefined && !isDerivedId(envelope.id ?? "");
    const same = text === state.text;
    if (same && !keeps && turn.leavesNothing) {
      state.keep(turn);
      if (awaited) this.#letGo(turn);
      this.#parts.metrics?.count(this.#owner.id.type, envelope.message, "ok");
      this.#uncommitted.reply(delivery, body);
      turn.span?.end();
      return;
    }
    const unchanged = same && turn.journal === undefined;
    const finished = finishTurn(this.#owner, envelope, turn, state, text, unchanged, hash?.text, body);
    this.#owner.endedWell();
    if (awaited) this.#letGo(turn);
    this.#replies.add(finished);
    this.#uncommitted.add(finished, delivery, { kind: "reply", body });
    this.#parts.probe?.finished(finished);
    this.#lane.add(finished);
  }

  /**
   * A handler that awaited has most likely left code behind that still holds pieces of the state. They are nobody's any more
   * (ActorState.A5); frozen they say so. Every turn's would cost more than the turn.
   */
  #letGo(turn: Turn): void {
    if (turn.journal === undefined) freeze(turn.draft); // else its handlers never held more than a view
  }

  /**
   * The turn did not end well: nothing of it stays (ActorState.A3). A refusal may rest on an uncommitted turn, so it waits too; one of a
   * message with an id is an answer like any other, and is kept for its repeats (G5).
   */
  #drop(delivery: Delivery, turn: Turn | undefined, error: unknown, hash: InputHash | undefined): void {
    turn?.seal();
    if (this.#ended) {
      this.#lose(delivery, turn);
      return;
    }
    endSpan(turn?.span, error);
    this.#state.taint();
    this.#work = NONE;
    const { envelope } = delivery;
    // Input that does not fit, thrown by a handler, is not its caller's: that was checked before.
    if (!(error instanceof TroupeError) || error instanceof InvalidInputError) {
      this.#owner.threw();
      this.#parts.log.turnFailed(envelope, error);
    }
    const answer: Answer = { kind: "error", error: failureOf(error, envelope) };
    this.#parts.metrics?.answered(envelope, answer);
    const { id, origin } = envelope;
    const kept = hash !== undefined && id !== undefined && origin.kind === "call" && !isDerivedId(id);
    if (!kept || !(error instanceof RefusedError) || error.again || !isPlain(error.data)) {
      this.#uncommitted.gate(delivery, answer);
      return;
    }
    const reply = refusalReply(id, hash, error);
    const refused = refusedTurn(this.#owner, envelope, this.#state.version, this.#parts.clock.now(), reply);
    this.#replies.add(refused);
    this.#uncommitted.add(refused, delivery, answer);
    this.#lane.add(refused);
  }

  /** The turn of a life that has ended is over: whatever it says rests on a state that never was (Incarnation.A4). */
  #lose(delivery: Delivery, turn: Turn | undefined): void {
    this.#work = NONE;
    const error = this.#lostTurn();
    turn?.span?.end(error);
    delivery.fail(error);
  }

  /** What answers a turn that can no longer be committed. It may have asked others, so its caller is not to ask again by itself. */
  #lostTurn(): TroupeError {
    return new TroupeError(
      "commit_failed",
      `Cannot commit a turn of ${this.address} as an earlier one failed, or the actor left this node`,
    );
  }

  #timerCounts(name: string, dueAt: number): boolean {
    const write = this.#uncommitted.timers.get(name);
    return write === undefined ? this.#parts.timers.isCurrent(this.#owner.id, name, dueAt) : write.dueAt === dueAt;
  }
}

/** A refusal is an answer: only what is none of the actor's words is a failure of its turn. */
function endSpan(span: Span | undefined, error: unknown): void {
  if (span === undefined) return;
  const refused = error instanceof RefusedError;
  if (refused) span.set({ "troupe.refused": error.reason });
  span.end(refused ? undefined : error);
}

/** Whether a refusal's data can be kept as it is. */
function isPlain(data: unknown): boolean {
  try {
    exactJson(data, "a refusal");
    return true;
  } catch {
    return false;
  }
}
