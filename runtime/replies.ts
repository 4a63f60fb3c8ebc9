import { TroupeError } from "./errors.ts";
import type { FinishedTurn } from "./finished-turn.ts";
import { REPLIES_IN_MEMORY } from "./limits.ts";
import type { LoadedActor, StoredReply } from "./ports/store.ts";

/** A reply, with the turn it came from until that is durable. */
export interface KnownReply extends StoredReply {
  turn?: FinishedTurn | undefined;
}

/** The newest replies of one actor by message id, as far as they are at hand (G5). */
export class Replies {
  #byId = new Map<string, KnownReply>();
  /** Whether these are all there are: then an id that is not among them is new. Otherwise the store has to be asked. */
  complete = true;

  load({ replies, repliesComplete }: LoadedActor): void {
    this.#byId = new Map(replies.map((reply) => [reply.id, reply]));
    this.complete = repliesComplete;
  }

  find(id: string): KnownReply | undefined {
    return this.#byId.get(id);
  }

  /** `turn` is durable: its reply rests on nothing any more. */
  settled(id: string, turn: FinishedTurn): void {
    const known = this.#byId.get(id);
    if (known?.turn === turn) known.turn = undefined;
  }

  /** Keeps a reply; beyond {@link REPLIES_IN_MEMORY} the oldest has to be looked up from then on. */
  remember(reply: KnownReply): void {
    this.#byId.set(reply.id, reply);
    if (this.#byId.size <= REPLIES_IN_MEMORY) return;
    const oldest = this.#byId.keys().next().value;
    if (oldest !== undefined) this.#byId.delete(oldest);
    this.complete = false;
  }
}

/** What is wrong with a repeat, if anything: `hash` is that of its message and input. */
export function misuseOf(known: StoredReply, hash: string, address: string): TroupeError | undefined {
  if (known.hash === hash) return undefined;
  const text = `Cannot handle the message id ${known.id} of ${address} again with another input`;
  return new TroupeError("message_id_reused", text);
}
