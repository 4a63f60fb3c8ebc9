import { actorsOf } from "./actors-of.ts";
import type { History } from "./history.ts";
import { type Violation, violation } from "./violation.ts";

/** Refusals that an actor may share with others before it is set apart: the first finds it, a new life begins anew. */
const SHARED_REFUSALS = 8;

/** The turns of one actor in one life of a node. */
interface Backlog {
  /** The newest version that the store has decided on. */
  decided: number;
  /** The newest version that a turn has made. */
  made: number;
}

/** G9: what waits for its commit is bounded. G8: an actor that the store refuses is set apart. */
export function checkBacklog(history: History): Violation[] {
  const violations: Violation[] = [];
  const backlogs = new Map<string, Backlog>();
  const committed = new Map<string, number>();
  const refusedAlone = new Set<string>();
  const shared = new Map<string, number>();
  const mailboxes = history.find((entry) => entry.kind === "world")?.mailboxes ?? {};

  history.forEach((entry, index) => {
    if (entry.kind === "finished") {
      if (entry.unchanged === true) return; // counted are versions
      const { node, actor, version } = entry;
      const backlog = backlogs.get(`${node} ${actor}`);
      // An actor that was loaded anew begins where the store stands.
      const anew = backlog === undefined || version <= backlog.made;
      const next = anew ? { decided: version - 1, made: version } : { ...backlog, made: version };
      backlogs.set(`${node} ${actor}`, next);
      const limit = mailboxes[actor.split("/", 1)[0] ?? ""];
      // Another node may have written it meanwhile.
      const waiting = next.made - Math.max(next.decided, Math.min(next.made, committed.get(actor) ?? 0));
      if (limit === undefined || waiting <= limit) return;
      violations.push(violation("backlog-overflow", index, `${actor} on ${node}, ${waiting} of ${limit}`, [actor]));
    } else if (entry.kind === "commit") {
      const { node, states, outcome } = entry;
      for (const { actor, version } of states) {
        const backlog = backlogs.get(`${node} ${actor}`);
        if (outcome === "applied" && backlog !== undefined) backlog.decided = Math.max(backlog.decided, version);
        if (outcome === "applied") committed.set(actor, version);
        if (outcome === "applied") refusedAlone.delete(`${node} ${actor}`);
      }
      if (outcome !== "refused") return;
      const actors = actorsOf(entry);
      const [first] = actors;
      if (actors.size === 1 && first !== undefined) refusedAlone.add(`${node} ${first}`);
      if (actors.size < 2) return;
      for (const actor of actors) {
        if (!refusedAlone.has(`${node} ${actor}`)) continue;
        const times = (shared.get(`${node} ${actor}`) ?? 0) + 1;
        shared.set(`${node} ${actor}`, times);
        if (times !== SHARED_REFUSALS) continue;
        const detail = `${actor} on ${node}, ${times} times after it was refused alone`;
        violations.push(violation("neighbour-held", index, detail, [actor]));
      }
    }
  });
  return violations;
}
