import { actorsOf } from "./actors-of.ts";
import { checkBacklog } from "./check-backlog.ts";
import type { CallEntry, CommitEntry, FinishedEntry, History } from "./history.ts";
import { type Violation, violation } from "./violation.ts";

/** G8 and G9: what one actor does wrong or has too much of is its own affair. */
export function checkIsolation(history: History): Violation[] {
  const violations: Violation[] = [];
  const calls = new Map<number, CallEntry>();
  const finished = new Map<number, FinishedEntry>();
  const alone = new Set<string>();
  const together = new Map<string, CommitEntry>();
  const threw = new Set<string>();
  const turns = new Map<number, string>();
  const world = history.find((entry) => entry.kind === "world");

  history.forEach((entry, index) => {
    if (entry.kind === "call") calls.set(entry.call, entry);
    else if (entry.kind === "turn") turns.set(entry.turn, `${entry.actor} ${entry.message}`);
    else if (entry.kind === "turn-end" && entry.outcome === "failed") threw.add(turns.get(entry.turn) ?? "");
    else if (entry.kind === "finished" && entry.call !== null) finished.set(entry.call, entry);
    else if (entry.kind === "commit" && entry.outcome !== "applied") {
      const actors = actorsOf(entry);
      const shared = entry.outcome === "refused" && actors.size > 1;
      for (const actor of actors) {
        if (shared) together.set(`${entry.node} ${actor}`, entry);
        else alone.add(`${entry.node} ${actor}`);
      }
    } else if (entry.kind === "delivered") {
      const limit = world?.mailboxes[entry.actor.split("/", 1)[0] ?? ""];
      if (limit === undefined || entry.depth <= limit) return;
      const detail = `${entry.actor} on ${entry.node} holds ${entry.depth}, limit is ${limit}`;
      violations.push(violation("mailbox-overflow", index, detail, [entry.actor]));
    } else if (entry.kind === "answer" && entry.outcome.kind === "error") {
      const call = calls.get(entry.call);
      if (call === undefined) return;
      const name = `call ${entry.call} of ${call.message} to ${call.actor}`;
      const turn = finished.get(entry.call);
      const failure = turn && together.get(`${turn.node} ${turn.actor}`);
      // A refused commit of several actors has to be tried again for each of them alone.
      const spread = failure !== undefined && !alone.has(`${turn?.node} ${turn?.actor}`);
      if (entry.outcome.code === "commit_failed" && spread) {
        const detail = `${name} failed with a commit of ${[...actorsOf(failure)].join(", ")}`;
        violations.push(violation("neighbour-failed", index, detail, [call.actor]));
      }
      if (entry.outcome.code === "turn_failed" && !threw.has(`${call.actor} ${call.message}`)) {
        violations.push(
          violation("neighbour-failed", index, `${name} was told turn_failed, but its handler never threw`, [
            call.actor,
          ]),
        );
      }
    }
  });
  return [...violations, ...checkBacklog(history)];
}
