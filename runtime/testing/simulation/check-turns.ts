import type { History } from "./history.ts";
import type { Replay } from "./replay.ts";
import { type Violation, violation } from "./violation.ts";

/** G1: of the turns that count, no two of one actor overlap. A turn that never commits may: nobody hears of it. */
export function checkTurns(history: History, { commits, turns }: Replay): Violation[] {
  const violations: Violation[] = [];
  const ends = new Map<number, number>();
  history.forEach((entry, index) => {
    if (entry.kind === "turn-end") ends.set(entry.turn, index);
  });
  const latest = new Map<string, { readonly turn: number; readonly end: number }>();
  for (const { turns: written } of commits) {
    for (const { actor, turn } of written) {
      const start = turns.get(turn)?.index;
      const end = ends.get(turn);
      if (start === undefined || end === undefined) continue;
      const before = latest.get(actor);
      if (before !== undefined && start < before.end) {
        const detail = `the turns ${before.turn} and ${turn} of ${actor}`;
        violations.push(violation("overlapping-turns", start, detail, [actor]));
      }
      latest.set(actor, { turn, end });
    }
  }
  return violations;
}
