/**
 * One turn: what a command sees while it runs, and what it leaves to be committed.
 *
 * Owns the draft of the turn (state, effects). Does not own the actor: it never touches the activation, so a turn that
 * is refused or fails is simply dropped, and leaves no trace (G2).
 */
import { safeParse } from "valibot";
import type { AnyActorType, AnyMessageDefinition, AnyWorkerType, Emits } from "../actor/any-actor.ts";
import type { ActorSockets, TurnContext, Workflows, WorkflowStart } from "../actor/context.ts";
import { NO_KEY } from "../actor/ref.ts";
import { isWorker } from "../actor/stateless-worker.ts";
import type { Clock } from "../base/clock.ts";
import {
  MAX_BROADCAST_LENGTH,
  MAX_EFFECTS,
  MAX_EVENT_LENGTH,
  MAX_ROUTED_LENGTH,
  MAX_TURN_LENGTH,
} from "../base/limits.ts";
import type { Randomness } from "../base/randomness.ts";
import type { JournaledTurn } from "../journal/journaled-turn.ts";
import { RefusedError, type RefuseOptions, TroupeError } from "../message/errors.ts";
import { exactJson } from "../message/exact-json.ts";
import { own, ownFault } from "../message/own-fault.ts";
import { checkKey, parseInput, toIssue } from "../message/validate.ts";
import type { Envelope } from "../ports/envelope.ts";
import type { OutboxKind, TimerWrite, WorkflowRequest } from "../ports/store.ts";
import type { Span } from "../ports/tracing.ts";
import { type TimerSource, TurnTimers } from "../timers/turn-timers.ts";
import { checkBroadcastType, checkTopic } from "../topics/name.ts";
import { TurnAsks } from "./turn-asks.ts";
import { socketsOf } from "./turn-sockets.ts";

/** Something that leaves the actor after the commit. Gets its sequence number when the batch is put together. */
export interface EffectDraft {
  readonly kind: OutboxKind;
  readonly id: string;
  readonly name: string;
  readonly target: string;
  readonly body: string;
}

/** What a turn works with. */
export interface TurnParts extends TimerSource {
  readonly clock: Clock;
  readonly randomness: Randomness;
  /** A handle for calls made inside a turn; they wait no longer than `deadline` (monotonic). */
  ref(
    type: AnyActorType | AnyWorkerType,
    key: string,
    from: Envelope,
    deadline: number | undefined,
    asks: TurnAsks,
  ): object;
  readonly log: TimerSource["log"] & { lateUse(actor: string, message: string, what: string): void };
}

/** The context handed to a command handler, and the draft that becomes its commit. */
export class Turn implements TurnContext<unknown, Emits> {
  readonly key: string;
  readonly id: string | undefined;
  readonly attempt: number;
  readonly exists: boolean;
  /** What the turn has made of the state: what a handler sees as `state`, also when it is over. */
  draft: unknown;
  /** Undefined until there is one: most turns have none, and the hot path should not pay for them. */
  effects: EffectDraft[] | undefined;
  /** Of a journaled actor only: what its events make of the state. */
  journal: JournaledTurn | undefined;
  /** Where its trace is recorded. */
  span: Span | undefined;
  destroyed = false;

  readonly #type: AnyActorType;
  readonly #envelope: Envelope;
  readonly #partition: number;
  readonly #parts: TurnParts;
  readonly #deadline: number | undefined;
  #now: number | undefined;
  #timers: TurnTimers | undefined;
  #abort: AbortController | undefined;
  #asks: TurnAsks | undefined;
  #sealed = false;
  /** Characters of its effects. */
  #length = 0;

  constructor(
    type: AnyActorType,
    envelope: Envelope,
    partition: number,
    state: unknown,
    exists: boolean,
    parts: TurnParts,
    deadline: number | undefined,
  ) {
    this.key = envelope.key;
    this.id = envelope.id;
    this.attempt = envelope.attempt;
    this.draft = state;
    this.exists = exists;
    this.#type = type;
    this.#envelope = envelope;
    this.#partition = partition;
    this.#parts = parts;
    this.#deadline = deadline;
  }

  get state(): unknown {
    if (this.#sealed) this.#late("use its state");
    return this.draft;
  }

  set state(state: unknown) {
    if (this.#sealed) this.#late("change its state");
    this.draft = state;
  }

  /**
   * The turn is over: what is done with its context from now on changes nothing, throws and is logged. `parts` of the state
   * that a handler which awaited may have kept are frozen.
   */
  seal(): void {
    this.#sealed = true;
    this.#timers?.seal();
  }

  /** What it waits for in other actors. */
  get waitingFor(): Iterable<string> {
    return this.#asks?.waitingFor ?? [];
  }

  /** Looked at once: it is one moment for the whole turn. */
  get now(): number {
    return (this.#now ??= this.#parts.clock.now());
  }

  get timers(): TurnTimers {
    const timers = (this.#timers ??= this.#makeTimers());
    if (this.#sealed) timers.seal();
    return timers;
  }

  get timerWrites(): ReadonlyMap<string, TimerWrite> | undefined {
    return this.#timers?.writes;
  }

  /** Whether nothing but its state could have to be written. */
  get leavesNothing(): boolean {
    return this.effects === undefined && this.timerWrites === undefined && this.journal?.forced !== true;
  }

  /** Made on demand: few actors have any. */
  get sockets(): ActorSockets {
    return socketsOf(this, this.#type.type, this.#type.sockets);
  }

  get traceparent(): string | undefined {
    return this.#envelope.traceparent;
  }

  get dueAt(): number | undefined {
    const { origin } = this.#envelope;
    return origin.kind === "timer" || origin.kind === "replay" ? origin.dueAt : undefined;
  }

  /** Made on demand: few turns talk to workflows. */
  get workflow(): Workflows {
    return {
      start: (start) => this.#workflow("start", start.id, { start: startRequest(start) }),
      signal: ({ id, name, args }) => this.#workflow("signal", id, { signal: { name, args: args ?? [] } }),
      signalWithStart: (start) => {
        const { name, args } = start.signal;
        this.#workflow("signalWithStart", start.id, { start: startRequest(start), signal: { name, args: args ?? [] } });
      },
    };
  }

  get signal(): AbortSignal {
    return (this.#abort ??= new AbortController()).signal;
  }

  get deadline(): number | undefined {
    const deadline = this.#callDeadline;
    return deadline === undefined ? undefined : this.#parts.clock.now() + deadline - this.#parts.clock.monotonic();
  }

  /** Tells the handler's I/O to end: nobody needs it any more. */
  abort(reason: TroupeError): void {
    (this.#abort ??= new AbortController()).abort(reason);
  }

  /** Runs the handler of its command. The first turn of an actor: what brings it into being and its message are one. */
  handle(definition: AnyMessageDefinition, input: unknown): unknown {
    const { options } = this.#type;
    if (this.exists || options.onCreate === undefined) return definition.handle(this as never, input as never);
    return this.#create(options.onCreate(this as never, this.key), definition, input);
  }

  /** A function of its own: what is caught in a closure costs every turn that passes, created or not. */
  #create(created: unknown, definition: AnyMessageDefinition, input: unknown): unknown {
    const run = (): unknown => definition.handle(this as never, input as never);
    return created instanceof Promise ? created.then(run) : run();
  }

  require(condition: unknown, reason: string, data?: Readonly<Record<string, unknown>>): void {
    if (!condition) throw new RefusedError(reason, data);
  }

  refuse(reason: string, data?: Readonly<Record<string, unknown>>, options?: RefuseOptions): never {
    throw new RefusedError(reason, data, options);
  }

  emit(type: string, data: unknown): void {
    const schema = this.#type.options.emits?.[type];
    if (schema === undefined) {
      throw new TypeError(`Cannot emit "${type}" from ${this.#type.type} as it is not declared in its "emits"`);
    }
    if (this.#sealed) this.#late(`emit ${type}`); // before a journaled state is changed by it
    const parsed = safeParse(schema, data);
    if (!parsed.success)
      throw ownFault(`Cannot emit ${type} from ${this.#type.type}/${this.key}`, parsed.issues.map(toIssue));
    const body = exactJson(parsed.output, `the event ${type}`) ?? "null";
    if (body.length > MAX_EVENT_LENGTH) {
      throw new TroupeError(
        "event_too_large",
        `Cannot emit ${type} from ${this.#type.type}/${this.key} as it is too large: size is ${body.length}, limit is ${MAX_EVENT_LENGTH}`,
      );
    }
    const id = `evt_${this.#parts.randomness.uuid(this.now)}`;
    if (this.journal !== undefined) this.draft = this.journal.emitted(id, type, body, this.now);
    this.#effect({ kind: "event", id, name: type, target: this.key, body });
  }

  broadcast(topic: string, type: string, data: unknown): void {
    checkTopic(topic);
    checkBroadcastType(type);
    const body = exactJson(data, `the broadcast ${type}`) ?? "null";
    if (body.length > MAX_BROADCAST_LENGTH) {
      throw new TroupeError(
        "event_too_large",
        `Cannot broadcast ${type} from ${this.#type.type}/${this.key} as it is too large: size is ${body.length}, limit is ${MAX_BROADCAST_LENGTH}`,
      );
    }
    this.#effect({
      kind: "broadcast",
      id: `brd_${this.#parts.randomness.uuid(this.now)}`,
      name: type,
      target: topic,
      body,
    });
  }

  publish({ type, target, data }: { readonly type: string; readonly target: string; readonly data: unknown }): void {
    const body = exactJson(data, `the record ${type}`) ?? "null";
    if (body.length > MAX_ROUTED_LENGTH) {
      throw new TroupeError(
        "event_too_large",
        `Cannot publish ${type} from ${this.#type.type}/${this.key} as it is too large: size is ${body.length}, limit is ${MAX_ROUTED_LENGTH}`,
      );
    }
    this.#effect({ kind: "routed", id: `rtd_${this.#parts.randomness.uuid(this.now)}`, name: type, target, body });
  }

  send(target: AnyActorType, key: string, message: string, input?: unknown): void {
    if (isWorker(target)) {
      throw new TypeError(
        `Cannot send "${message}" to ${target.type} as it is a stateless worker, which has no inbox: ask it, by c.ref`,
      );
    }
    const definition = target.messages[message];
    if (definition === undefined)
      throw new TypeError(`Cannot send "${message}" to ${target.type} as it has no such message`);
    // Checked here, in the sender's turn: a message that can never be handled should fail where it was made.
    own(() => {
      checkKey(target.options.key, target.type, key);
      parseInput(definition.in, input, message, `${target.type}/${key}`);
    });
    const body = exactJson(input, `the message ${message}`) ?? "null";
    this.#effect({
      kind: "send",
      id: `msg_${this.#parts.randomness.uuid(this.now)}`,
      name: message,
      target: `${target.type}/${key}`,
      body,
    });
  }

  ref(target: AnyActorType | AnyWorkerType, key: string = NO_KEY): never {
    if (this.#sealed) this.#late(`ask ${target.type}/${key}`);
    return this.#parts.ref(
      target,
      key,
      this.#envelope,
      this.#callDeadline,
      (this.#asks ??= new TurnAsks(this.span?.traceparent)),
    ) as never;
  }

  /** A send has a deadline too, but only until it is tried again. */
  get #callDeadline(): number | undefined {
    return this.#envelope.origin.kind === "call" ? this.#deadline : undefined;
  }

  destroy(): void {
    if (this.#sealed) this.#late("destroy it");
    this.destroyed = true;
  }

  #makeTimers(): TurnTimers {
    const actor = { type: this.#type.type, key: this.key, partition: this.#partition };
    const traceparent = this.span?.traceparent ?? this.#envelope.traceparent;
    return new TurnTimers(this.#type, actor, this.now, this.#parts, traceparent);
  }

  #workflow(operation: string, id: string, request: WorkflowRequest): void {
    this.#effect({
      kind: "workflow",
      id: `wfr_${this.#parts.randomness.uuid(this.now)}`,
      name: operation,
      target: id,
      body: exactJson(request, `the workflow request ${operation}`) ?? "null",
    });
  }

  #late(what: string): never {
    const address = `${this.#type.type}/${this.key}`;
    this.#parts.log.lateUse(address, this.#envelope.message, what);
    throw new TypeError(`Cannot ${what} in ${this.#envelope.message} of ${address} as its turn is over`);
  }

  #effect(effect: EffectDraft): void {
    if (this.#sealed) this.#late(`leave ${effect.name}`);
    this.#length += effect.body.length;
    if (this.#length > MAX_TURN_LENGTH) {
      throw new TroupeError(
        "event_too_large",
        `Cannot add ${effect.name} to the turn of ${this.#type.type}/${this.key} as it leaves too much: limit is ${MAX_TURN_LENGTH} characters`,
      );
    }
    const effects = (this.effects ??= []);
    if (effects.length >= MAX_EFFECTS) {
      throw new RangeError(
        `Cannot add ${effect.name} to the turn of ${this.#type.type}/${this.key}: limit is ${MAX_EFFECTS} effects`,
      );
    }
    effects.push(effect);
  }
}

function startRequest(start: WorkflowStart): NonNullable<WorkflowRequest["start"]> {
  const { type, taskQueue, args, searchAttributes, memo } = start;
  return { type, taskQueue, args, ...(searchAttributes && { searchAttributes }), ...(memo && { memo }) };
}
