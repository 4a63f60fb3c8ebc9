import { MAX_STATE_LENGTH } from "../base/limits.ts";
import { TroupeError } from "../message/errors.ts";
import type { Envelope } from "../ports/envelope.ts";
import type { ActorState } from "./actor-state.ts";
import { FinishedTurn, type TurnOwner } from "./finished-turn.ts";
import type { Turn } from "./turn.ts";

/**
 * Takes over the state of a turn that ended well, and puts together what it leaves to be written, as one piece (G2).
 *
 * @param text the state after the turn as JSON; `undefined` when it destroyed the actor.
 * @param hash of the message and its input, when it carries an id: then the reply `body` is kept.
 */
export function finishTurn(
  owner: TurnOwner,
  envelope: Envelope,
  turn: Turn,
  state: ActorState,
  text: string | undefined,
  hash: string | undefined,
  body: string | undefined,
): FinishedTurn {
  if (turn.destroyed && state.exists) turn.journal?.destroyed();
  const index = state.advance(turn, text);
  const { id } = envelope;
  const reply = id !== undefined && hash !== undefined ? { id, hash, reply: body } : undefined;
  return new FinishedTurn(owner, envelope, turn, text, state.version, reply, undefined, index);
}

/** Why a turn whose state has grown to `size` characters cannot be committed. */
export function stateTooLarge(address: string, size: number): TroupeError {
  return new TroupeError(
    "state_too_large",
    `Cannot commit the state of ${address} as it is too large: size is ${size}, limit is ${MAX_STATE_LENGTH}`,
  );
}
