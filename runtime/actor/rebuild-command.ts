import type { AnyMessageDefinition } from "./any-actor.ts";

/** The name of the command that every journaled type has, called by `troupe.rebuild`. */
export const REBUILD = "$rebuild";

interface RebuildTurn {
  readonly key: string;
  /** The journal of the actor; `undefined` where its type keeps none. */
  readonly journal: { rebuild(turn: RebuildTurn): Promise<unknown> } | undefined;
}

/** Recomputes the state from the whole journal. It is a command, so that no other turn of the actor runs meanwhile. */
export const rebuildCommand: AnyMessageDefinition = {
  kind: "command",
  in: undefined,
  out: undefined,
  handle(turn: RebuildTurn): Promise<unknown> {
    if (turn.journal === undefined) throw new TypeError(`Cannot rebuild ${turn.key} as its type keeps no journal`);
    return turn.journal.rebuild(turn);
  },
};
