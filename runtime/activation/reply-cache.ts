import { hash32, textHash } from "../base/hash.ts";
import { IDS_IN_MEMORY, REPLIES_IN_MEMORY } from "../base/limits.ts";
import { CheckedInput } from "../message/checked-input.ts";
import type { Answer, Waiter } from "../message/delivery.ts";
import { RefusedError, TroupeError } from "../message/errors.ts";
import type { ActorId, LoadedActor, StoredReply } from "../ports/store.ts";
import type { FinishedTurn } from "../turn/finished-turn.ts";
import type { OutputGate } from "./output-gate.ts";

/** A reply, with the turn it came from until that is durable. */
export interface KnownReply extends StoredReply {
  turn?: FinishedTurn | undefined;
}

/** Asks the store for the reply to a message id. */
export interface ReplySource {
  findReply(actor: ActorId, id: string): Promise<KnownReply | undefined>;
}

/** The replies of one actor by message id: the newest of this life are at hand, older ones are looked up (G5). */
export class ReplyCache {
  readonly #actor: ActorId;
  readonly #source: ReplySource;
  /** Made with the first one: many actors get no message with an id. */
  #byId: Map<string, KnownReply> | undefined;
  /**
   * Hashes of further ids that were answered. Nearly none comes again, so the answers are left where they are; of two ids with
   * one hash, the new one is looked up too.
   */
  #older: Set<number> | undefined;
  /** Whether both together are all there are: then an id that is not among them is new. */
  #complete: boolean;

  constructor({ replyIds, repliesComplete }: LoadedActor, actor: ActorId, source: ReplySource) {
    this.#actor = actor;
    this.#source = source;
    if (replyIds.length > 0) this.#older = new Set(replyIds.map(hash32));
    this.#complete = repliesComplete;
  }

  /** The reply to a message id; `undefined` when the id is new. A promise when only the store can tell. */
  find(id: string): KnownReply | undefined | Promise<KnownReply | undefined> {
    const known = this.#byId?.get(id);
    if (known !== undefined) return known;
    const isNew = this.#complete && this.#older?.has(hash32(id)) !== true;
    return isNew ? undefined : this.#source.findReply(this.#actor, id);
  }

  /** A turn has replied to its message; beyond {@link REPLIES_IN_MEMORY} the oldest is looked up should it come again. */
  add(turn: FinishedTurn): void {
    const { reply } = turn;
    if (reply === undefined) return;
    this.#byId ??= new Map();
    this.#byId.set(reply.id, { ...reply, turn });
    this.#trim(this.#byId);
  }

  /** `turn` is durable: its reply rests on nothing any more. */
  committed(turn: FinishedTurn): void {
    if (this.#byId === undefined) return;
    const known = turn.reply === undefined ? undefined : this.#byId.get(turn.reply.id);
    if (known?.turn === turn) known.turn = undefined;
    this.#trim(this.#byId);
  }

  /** The store cannot tell of a reply that is not durable yet: it stays, and how many of these there are the output gate bounds. */
  #trim(byId: Map<string, KnownReply>): void {
    while (byId.size > REPLIES_IN_MEMORY) {
      // In the order they were given, in which they become durable too.
      const [oldest] = byId.values();
      if (oldest === undefined || oldest.turn !== undefined) return;
      byId.delete(oldest.id);
      this.#forget(oldest.id);
    }
  }

  /** What is not at hand any more. */
  #forget(id: string): void {
    const older = (this.#older ??= new Set());
    older.add(hash32(id));
    if (older.size <= IDS_IN_MEMORY) return;
    const [oldest] = older;
    older.delete(oldest as number);
    this.#complete = false; // from now on only the store can tell that an id is new
  }
}

/** Before the hash of an answer that was a refusal. */
const REFUSED = "!";

/**
 * What tells a message and its input from any other that carries the same id. The input as it came counts, and so does what
 * its schema makes of it: a repeat is the same message if either is the same, so that a release which adds a default, or a
 * caller who orders its members otherwise, turns no repeat into another message.
 */
export class InputHash {
  readonly #message: string;
  readonly #came: unknown;
  readonly #json: string | undefined;
  readonly #raw: string | undefined;
  #parsed: string | undefined;

  constructor(message: string, input: unknown) {
    this.#message = message;
    this.#came = input instanceof CheckedInput ? input.value : input;
    this.#json = jsonOf(this.#came);
    this.#raw = this.#json === undefined ? undefined : textHash(`${message} ${this.#json}`);
  }

  /** What the schema made of the input. */
  parsed(input: unknown): void {
    if (input === this.#came && this.#raw !== undefined) {
      this.#parsed = this.#raw; // no schema has made anything of it
      return;
    }
    const json = jsonOf(input) ?? "";
    this.#parsed = json === this.#json ? this.#raw : textHash(`${this.#message} ${json}`);
  }

  /** What is stored. */
  get text(): string {
    if (this.#raw === undefined || this.#raw === this.#parsed) return this.#parsed ?? "";
    return `${this.#raw}.${this.#parsed}`;
  }

  fits(stored: string): boolean {
    if (stored === this.#raw) return true;
    const known = (stored.startsWith(REFUSED) ? stored.slice(REFUSED.length) : stored).split(".");
    return known.some((hash) => hash === this.#raw || hash === this.#parsed);
  }
}

/** `undefined`: JSON cannot tell it from other things. */
function jsonOf(input: unknown): string | undefined {
  try {
    return JSON.stringify(input) ?? "";
  } catch {
    return undefined;
  }
}

/** A refusal as it is kept for repeats: the hash says that it is one. */
export function refusalReply(id: string, hash: InputHash, { reason, data }: RefusedError): StoredReply {
  return { id, hash: `${REFUSED}${hash.text}`, reply: JSON.stringify({ reason, data }) };
}

/** Whether a stored reply is a refusal. */
export function isRefusal({ hash }: Pick<StoredReply, "hash">): boolean {
  return hash.startsWith(REFUSED);
}

function answerOf(stored: StoredReply): Answer {
  if (!isRefusal(stored)) return { kind: "reply", body: stored.reply };
  const { reason, data } = JSON.parse(stored.reply ?? "{}") as Pick<RefusedError, "reason" | "data">;
  return { kind: "error", error: new RefusedError(reason, data) };
}

/**
 * Answers a repeat as the first one was answered; with `message_id_reused` where `hash` is another. It rests on the turn it
 * repeats alone: what came later may fail without it (OutputGate.A2).
 */
export function answerRepeat(
  waiter: Waiter,
  first: KnownReply,
  hash: InputHash,
  address: string,
  uncommitted: OutputGate,
): void {
  const answer = answerOf(first);
  if (!hash.fits(first.hash)) {
    const text = `Cannot handle the message id ${first.id} of ${address} again with another input`;
    waiter.fail(new TroupeError("message_id_reused", text));
  } else if (first.turn !== undefined) {
    uncommitted.waitFor(first.turn, waiter, answer);
  } else if (answer.kind === "reply") {
    waiter.succeed(answer.body);
  } else {
    waiter.fail(answer.error);
  }
}
