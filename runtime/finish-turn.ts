import type { ActorState } from "./actor-state.ts";
import type { Envelope } from "./envelope.ts";
import { FinishedTurn, type TurnOwner } from "./finished-turn.ts";
import type { Turn } from "./turn.ts";

/**
 * Takes over the state of a turn that ended well with the reply `body`. Returns what it leaves to be written, as one piece
 * (G2); `undefined` when that is nothing.
 *
 * @param hash of the message and its input, when it carries an id: then its reply is kept.
 * @throws what keeps the turn from ending well after all, such as `state_too_large`: then nothing was taken over.
 */
export function finishTurn(
  owner: TurnOwner,
  envelope: Envelope,
  turn: Turn,
  state: ActorState,
  hash: string | undefined,
  body: string | undefined,
): FinishedTurn | undefined {
  if (envelope.origin.kind === "timer") turn.timers.fired(envelope.origin);
  const text = state.textAfter(turn);
  const changed = text !== state.text;
  if (!changed && hash === undefined && leavesNothing(turn)) {
    state.keep(turn);
    return undefined;
  }
  if (changed && turn.destroyed) turn.journal?.destroyed();
  const index = state.advance(turn, text);
  const { id } = envelope;
  const reply = id !== undefined && hash !== undefined ? { id, hash, reply: body } : undefined;
  return new FinishedTurn(owner, envelope, turn, text, state.version, reply, undefined, index);
}

/** Whether nothing but its state could have to be written of a turn. */
function leavesNothing({ journal, effects, timerWrites }: Turn): boolean {
  return journal?.forced !== true && effects === undefined && timerWrites === undefined;
}
