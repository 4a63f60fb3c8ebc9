import { controlEnvelope } from "../actor/control-messages.ts";
import type { Waiter } from "../message/delivery.ts";
import type { PauseWrite } from "../ports/store.ts";
import { FinishedTurn, type TurnOwner } from "../turn/finished-turn.ts";

/**
 * A pause, or its end, as a commit lane takes it: a turn that writes nothing of its actor, which need not be in memory.
 * `waiter` is answered once it is durable.
 */
export function pauseTurn(write: PauseWrite, waiter: Waiter, now: number): FinishedTurn {
  const { type, key, partition } = write;
  const owner: TurnOwner = {
    id: { type, key },
    address: `${type}/${key}`,
    partition,
    schemaVersion: undefined,
    gone: false,
    committed: () => undefined,
    reload: () => undefined,
    stalled: false,
    wake: () => undefined,
  };
  const envelope = controlEnvelope(write, write.since === undefined ? "$resume" : "$pause", undefined);
  const nothing = { effects: undefined, timerWrites: undefined, journal: undefined, span: undefined, now };
  const turn = new FinishedTurn(owner, envelope, nothing, undefined, 0, undefined, write);
  turn.wait(waiter, { kind: "reply", body: undefined });
  return turn;
}
