import { textHash } from "../base/hash.ts";
import { REPLIES_IN_MEMORY } from "../base/limits.ts";
import type { Waiter } from "../message/delivery.ts";
import { TroupeError } from "../message/errors.ts";
import type { LoadedActor, StoredReply } from "../ports/store.ts";
import type { FinishedTurn } from "../turn/finished-turn.ts";
import type { OutputGate } from "./output-gate.ts";

/** A reply, with the turn it came from until that is durable. */
export interface KnownReply extends StoredReply {
  turn?: FinishedTurn | undefined;
}

/** The replies of one actor by message id: the newest are at hand, older ones are looked up (G5). */
export class ReplyCache {
  readonly #byId: Map<string, KnownReply>;
  readonly #lookUp: (id: string) => Promise<KnownReply | undefined>;
  /** Whether these are all there are: then an id that is not among them is new. */
  #complete: boolean;

  /** @param lookUp asks the store. */
  constructor({ replies, repliesComplete }: LoadedActor, lookUp: (id: string) => Promise<KnownReply | undefined>) {
    this.#byId = new Map(replies.map((reply) => [reply.id, reply]));
    this.#complete = repliesComplete;
    this.#lookUp = lookUp;
  }

  /** The reply to a message id; `undefined` when the id is new. A promise when only the store can tell. */
  find(id: string): KnownReply | undefined | Promise<KnownReply | undefined> {
    const known = this.#byId.get(id);
    return known !== undefined || this.#complete ? known : this.#lookUp(id);
  }

  /** A turn has replied to its message; beyond {@link REPLIES_IN_MEMORY} the oldest has to be looked up from then on. */
  add(turn: FinishedTurn): void {
    const { reply } = turn;
    if (reply === undefined) return;
    this.#byId.set(reply.id, { ...reply, turn });
    this.#trim();
  }

  /** `turn` is durable: its reply rests on nothing any more. */
  committed(turn: FinishedTurn): void {
    const known = turn.reply === undefined ? undefined : this.#byId.get(turn.reply.id);
    if (known?.turn === turn) known.turn = undefined;
    this.#trim();
  }

  /** The store cannot tell of a reply that is not durable yet: it stays, and how many of these there are the output gate bounds. */
  #trim(): void {
    while (this.#byId.size > REPLIES_IN_MEMORY) {
      // In the order they were given, in which they become durable too.
      const [oldest] = this.#byId.values();
      if (oldest === undefined || oldest.turn !== undefined) return;
      this.#byId.delete(oldest.id);
      this.#complete = false;
    }
  }
}

/** What tells a message and its input from any other that carries the same id. */
export function inputHash(message: string, input: unknown): string {
  return textHash(`${message} ${JSON.stringify(input) ?? ""}`);
}

/**
 * Answers a repeat as the first one was answered; with `message_id_reused` where `hash` is another. It rests on the turn it
 * repeats alone: what came later may fail without it (A2).
 */
export function answerRepeat(
  waiter: Waiter,
  first: KnownReply,
  hash: string,
  address: string,
  uncommitted: OutputGate,
): void {
  if (first.hash !== hash) {
    const text = `Cannot handle the message id ${first.id} of ${address} again with another input`;
    waiter.fail(new TroupeError("message_id_reused", text));
  } else if (first.turn === undefined) {
    waiter.succeed(first.reply);
  } else {
    uncommitted.waitFor(first.turn, waiter, { kind: "reply", body: first.reply });
  }
}
