import { MAX_STATE_LENGTH } from "../base/limits.ts";
import type { JournaledTurn } from "../journal/journaled-turn.ts";
import type { Answer, Waiter } from "../message/delivery.ts";
import { TroupeError } from "../message/errors.ts";
import type { Envelope } from "../ports/envelope.ts";
import type { ActorId, FieldValue, PauseWrite, StoredReply, TimerWrite } from "../ports/store.ts";
import type { Span } from "../ports/tracing.ts";
import type { ActorState } from "./actor-state.ts";
import type { EffectDraft, Turn } from "./turn.ts";

/** The actor a turn belongs to, as its commit sees it. */
export interface TurnOwner {
  readonly id: ActorId;
  readonly address: string;
  readonly partition: number;
  /** The schema version its states are written with, for types that have one. */
  readonly schemaVersion: number | undefined;
  /** Whether the actor was taken out of use: its turns must not be written any more. */
  readonly gone: boolean;
  /** The turn is durable. */
  committed(turn: FinishedTurn): void;
  /** A commit of this actor failed: it has to start anew from the store. */
  reload(): void;
  /** What tells the batch that its state was put into last from any other. Written by `buildBatch` alone. */
  batch?: object | undefined;
  /** Whether it has messages that wait for a commit to make room for further turns. */
  readonly stalled: boolean;
  /** There may be room now. */
  wake(): void;
}

/** What a turn leaves beside a state and a reply, and when it was. */
export type TurnEffects = Pick<Turn, "effects" | "timerWrites" | "journal" | "now" | "span">;

/** Someone whose answer rests on a turn. */
interface Waiting {
  readonly waiter: Waiter;
  readonly answer: Answer;
}

/** A turn that ended well and waits for its commit, with everyone whose answer rests on it: the output gate (G3). */
export class FinishedTurn {
  readonly activation: TurnOwner;
  readonly envelope: Envelope;
  readonly state: string | undefined;
  readonly version: number;
  readonly reply: StoredReply | undefined;
  readonly effects: readonly EffectDraft[] | undefined;
  readonly timers: ReadonlyMap<string, TimerWrite> | undefined;
  readonly journal: JournaledTurn | undefined;
  readonly #span: Span | undefined;
  /** Instead of a turn: the actor is paused or resumed, and nothing else of it is written. */
  readonly pause: PauseWrite | undefined;
  /** The state is as it was before, by its text: it is not written. Never so for a journaled actor, whose snapshots count events. */
  readonly unchanged: boolean;
  /** Its answer is all that it leaves. */
  readonly answerOnly: boolean;
  readonly at: number;
  /** All indexed values of the actor, where they changed with this turn. */
  readonly index: readonly FieldValue[] | undefined;
  /** What it leaves to be written, in characters. */
  readonly length: number;
  /** Who asked for it, and the answer. Most turns have no other to answer, and should not pay for a list. */
  #waiter: Waiter | undefined;
  #answer: Answer | undefined;
  #others: Waiting[] | undefined;

  constructor(
    activation: TurnOwner,
    envelope: Envelope,
    turn: TurnEffects,
    state: string | undefined,
    version: number,
    reply: StoredReply | undefined,
    pause?: PauseWrite,
    index?: readonly FieldValue[],
    unchanged = false,
    answerOnly = false,
  ) {
    this.activation = activation;
    this.envelope = envelope;
    this.state = state;
    this.version = version;
    this.reply = reply;
    this.effects = turn.effects;
    this.timers = turn.timerWrites;
    this.journal = turn.journal;
    this.#span = turn.span;
    this.pause = pause;
    this.at = turn.now;
    this.unchanged = unchanged;
    this.answerOnly = answerOnly;
    this.index = index;
    this.length = lengthOf(unchanged ? undefined : state, reply, turn);
  }

  /** What its effects and its commit are part of. */
  get traceparent(): string | undefined {
    return this.#span?.traceparent ?? this.envelope.traceparent;
  }

  /** How many answers wait for it. */
  get gated(): number {
    return (this.#waiter === undefined ? 0 : 1) + (this.#others === undefined ? 0 : this.#others.length);
  }

  /** Lets `waiter` have `answer` once this turn is durable. */
  wait(waiter: Waiter, answer: Answer): void {
    if (this.#waiter !== undefined) {
      (this.#others ??= []).push({ waiter, answer });
      return;
    }
    this.#waiter = waiter;
    this.#answer = answer;
  }

  /** Durable: everyone gets the answer. */
  open(): void {
    this.#span?.end();
    if (this.#waiter !== undefined && this.#answer !== undefined) tell(this.#waiter, this.#answer);
    if (this.#others !== undefined) for (const { waiter, answer } of this.#others) tell(waiter, answer);
  }

  /** Not durable, and never will be: whatever the answers said, they rest on something that did not happen. */
  fail(error: TroupeError): void {
    this.#span?.end(error);
    this.#waiter?.fail(error);
    for (const { waiter } of this.#others ?? []) waiter.fail(error);
  }
}

/**
 * Takes over the state of a turn that ended well, and puts together what it leaves to be written, as one piece (G2).
 *
 * @param text the state after the turn as JSON; `undefined` when it destroyed the actor.
 * @param unchanged whether it is the text that was there before: then the state is no part of what is written.
 * @param hash of the message and its input, when it carries an id: then the reply `body` is kept.
 */
export function finishTurn(
  owner: TurnOwner,
  envelope: Envelope,
  turn: Turn,
  state: ActorState,
  text: string | undefined,
  unchanged: boolean,
  hash: string | undefined,
  body: string | undefined,
): FinishedTurn {
  if (turn.destroyed && state.exists) turn.journal?.destroyed();
  const index = state.advance(turn, text, unchanged);
  const { id } = envelope;
  const reply = id !== undefined && hash !== undefined ? { id, hash, reply: body } : undefined;
  return new FinishedTurn(owner, envelope, turn, text, state.version, reply, undefined, index, unchanged);
}

/** What is to be written of a turn that refused a message with an id: its answer. */
export function refusedTurn(
  owner: TurnOwner,
  envelope: Envelope,
  version: number,
  now: number,
  reply: StoredReply,
): FinishedTurn {
  const nothing = { effects: undefined, timerWrites: undefined, journal: undefined, span: undefined, now };
  return new FinishedTurn(owner, envelope, nothing, undefined, version, reply, undefined, undefined, true, true);
}

/** Why a turn whose state has grown to `size` characters cannot be committed. */
export function stateTooLarge(address: string, size: number): TroupeError {
  return new TroupeError(
    "state_too_large",
    `Cannot commit the state of ${address} as it is too large: size is ${size}, limit is ${MAX_STATE_LENGTH}`,
  );
}

function tell(waiter: Waiter, answer: Answer): void {
  try {
    if (answer.kind === "reply") waiter.succeed(answer.body);
    else waiter.fail(answer.error);
  } catch {
    // One who cannot take his answer is no reason to keep the others from theirs.
  }
}

function lengthOf(
  state: string | undefined,
  reply: StoredReply | undefined,
  { effects, journal }: TurnEffects,
): number {
  let length = (state?.length ?? 0) + (reply?.reply?.length ?? 0);
  if (effects !== undefined) for (const { body } of effects) length += body.length;
  if (journal !== undefined) for (const { data } of journal.rows) length += data.length;
  return length;
}
