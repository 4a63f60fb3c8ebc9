import type { History } from "./history.ts";
import type { Replay } from "./replay.ts";
import { type Violation, violation } from "./violation.ts";

/** G7: a timer fires, not before its time, and takes effect only while it is set. */
export function checkTimers(history: History, { commits }: Replay): Violation[] {
  const violations: Violation[] = [];
  const committed = new Map(commits.map(({ index, turns }) => [index, turns]));
  const due = new Map<string, { readonly actor: string; readonly dueAt: number; readonly index: number }>();
  const write = (index: number, actor: string, name: string, dueAt: number | null): void => {
    if (dueAt === null) due.delete(`${actor} ${name}`);
    else due.set(`${actor} ${name}`, { actor, dueAt, index });
  };

  history.forEach((entry, index) => {
    if (entry.kind === "finished" && entry.timer !== null && entry.timer.now < entry.timer.dueAt) {
      const detail = `${entry.timer.name} of ${entry.actor} by ${entry.timer.dueAt - entry.timer.now} ms`;
      violations.push(violation("timer-early", index, detail, [entry.actor]));
    } else if (entry.kind === "commit") {
      for (const turn of committed.get(index) ?? []) {
        const { actor, timer } = turn;
        if (timer !== null && due.get(`${actor} ${timer.name}`)?.dueAt !== timer.dueAt) {
          const detail = `${timer.name} of ${actor}, due at ${timer.dueAt}, in turn ${turn.turn}`;
          violations.push(violation("timer-not-set", index, detail, [actor]));
        }
        for (const { name, dueAt } of turn.timers) write(index, actor, name, dueAt);
      }
    } else if (entry.kind === "end") {
      for (const [name, timer] of due) {
        if (timer.dueAt >= entry.now) continue;
        const detail = `${name}, set at the line ${timer.index}, was due ${entry.now - timer.dueAt} ms ago`;
        violations.push(violation("timer-lost", index, detail, [timer.actor]));
      }
    }
  });
  return violations;
}
