import { checkAnswers } from "./check-answers.ts";
import { checkIsolation } from "./check-isolation.ts";
import { checkOutbox } from "./check-outbox.ts";
import { checkTimers } from "./check-timers.ts";
import { checkTurns } from "./check-turns.ts";
import type { History } from "./history.ts";
import { replay, type Replay } from "./replay.ts";
import { type Violation, violation } from "./violation.ts";

/**
 * Every promise that a history breaks, in the order in which it shows; none when all hold. A pure function: the same
 * history gets the same verdict, wherever it comes from.
 *
 * @example
 * ```ts
 * checkHistory([]); // []: where nothing happened, nothing was broken
 * ```
 */
export function checkHistory(history: History): readonly Violation[] {
  const replayed = replay(history);
  const violations = [
    ...replayed.violations,
    ...checkTurns(history, replayed),
    ...checkAnswers(history, replayed),
    ...checkOutbox(history, replayed),
    ...checkTimers(history, replayed),
    ...checkIsolation(history),
    ...checkEnd(history, replayed),
  ];
  return violations.toSorted((a, b) => a.index - b.index);
}

/** The store holds in the end what was committed last, and nothing waits for ever. */
function checkEnd(history: History, { versions }: Replay): Violation[] {
  const violations: Violation[] = [];
  history.forEach((entry, index) => {
    if (entry.kind === "stored") {
      const { actor, version, state } = entry;
      const last = versions.get(actor)?.at(-1) ?? { version: 0, state: null };
      if (last.state === state && (state === null || last.version === version)) return;
      const detail = `${actor} is ${state} in version ${version}, committed was ${last.state} in version ${last.version}`;
      violations.push(violation("stored-differs", index, detail, [actor]));
    } else if (entry.kind === "end" && entry.waiting.length > 0) {
      violations.push(violation("stuck", index, entry.waiting.join("; "), []));
    }
  });
  return violations;
}
