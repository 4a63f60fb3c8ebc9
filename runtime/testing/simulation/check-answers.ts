import type { AnswerEntry, CallEntry, FinishedEntry, History, QueryEntry, TurnEntry } from "./history.ts";
import type { Replay, Version } from "./replay.ts";
import { type Violation, type ViolationKind, violation } from "./violation.ts";

/** With these codes a call is told that nothing was written. */
const NOTHING_WRITTEN: ReadonlySet<string> = new Set([
  "refused",
  "invalid_input",
  "message_id_reused",
  "turn_failed",
  "commit_failed",
  "fenced",
]);

interface Asked {
  readonly index: number;
  readonly call: CallEntry;
}

interface Look {
  readonly index: number;
  readonly state: string | null;
}

/** What calls were told, beside what was durable then: G3, G5, and of G4 that no answer is out of date. */
export function checkAnswers(history: History, { durable, versions, turns }: Replay): Violation[] {
  const violations: Violation[] = [];
  const asked = new Map<number, Asked>();
  const ended = new Map<number, { readonly index: number; readonly outcome: string }>();
  const finished = new Map<number, FinishedEntry[]>();
  const left = new Set<number>();
  const replies = new Map<string, number>();
  const refusals = new Map<string, number>();
  const queries = new Map<string, (QueryEntry & { readonly index: number })[]>();
  const tried = new Map<string, (TurnEntry & { readonly index: number })[]>();
  /** A call that the network repeated may be answered for one arrival and take effect by the other. */
  const repeated = new Set<string | null>();
  const answers: { index: number; answer: AnswerEntry; asked: Asked }[] = [];

  history.forEach((entry, index) => {
    if (entry.kind === "call") asked.set(entry.call, { index, call: entry });
    else if (entry.kind === "fault" && entry.fault === "transport-repeat") repeated.add(entry.detail);
    else if (entry.kind === "turn-end") ended.set(entry.turn, { index, outcome: entry.outcome });
    else if (entry.kind === "finished") {
      left.add(entry.turn);
      if (entry.call !== null) put(finished, entry.call, entry);
    } else if (entry.kind === "query") put(queries, `${entry.actor} ${entry.message}`, { ...entry, index });
    else if (entry.kind === "turn") put(tried, `${entry.actor} ${entry.message}`, { ...entry, index });
    else if (entry.kind === "commit" && entry.outcome === "applied") {
      for (const { actor, id } of entry.replies)
        if (!replies.has(`${actor} ${id}`)) replies.set(`${actor} ${id}`, index);
      for (const { actor, id } of entry.refusals ?? [])
        if (!refusals.has(`${actor} ${id}`)) refusals.set(`${actor} ${id}`, index);
    } else if (entry.kind === "answer") {
      const of = asked.get(entry.call);
      if (of !== undefined) answers.push({ index, answer: entry, asked: of });
    }
  });

  for (const { index, answer, asked: from } of answers) {
    const { call } = from;
    const { outcome } = answer;
    const report = (kind: ViolationKind, detail: string): void => {
      violations.push(violation(kind, index, detail, [call.actor, ...(call.id === null ? [] : [call.id])]));
    };
    const name = `call ${call.call} of ${call.message} to ${call.actor}`;
    const mine = finished.get(call.call) ?? [];
    const restsOn = (looks: readonly Look[]): void => {
      const verdict = judge(looks, versions.get(call.actor), from.index, index);
      if (verdict !== undefined) report(verdict, `${name}, which saw ${looks.map(({ state }) => state).join(" or ")}`);
    };
    const turnsThatEnded = (how: string): (Look & { readonly turn: number })[] =>
      (tried.get(`${call.actor} ${call.message}`) ?? []).filter((turn) => {
        const end = ended.get(turn.turn);
        return end?.outcome === how && turn.index > from.index && end.index < index;
      });

    if (outcome.kind === "error") {
      // With an id a call is routed again by itself when the owner is lost: a full mailbox then speaks for the last try.
      const nothing = NOTHING_WRITTEN.has(outcome.code) || (outcome.code === "mailbox_full" && call.id === null);
      const written = nothing && !repeated.has(call.id) ? mine.find((turn) => durable.has(turn)) : undefined;
      if (written !== undefined)
        report("written-but-failed", `${name} was told ${outcome.code}, turn ${written.turn} is durable`);
      // What was refused once stays refused for its id.
      const refusedBefore = call.id !== null && (refusals.get(`${call.actor} ${call.id}`) ?? Infinity) < index;
      if (outcome.code === "refused" && !refusedBefore) restsOn(turnsThatEnded("refused"));
    } else if (outcome.kind === "ok") {
      const looks = queries.get(`${call.actor} ${call.message}`);
      if (looks !== undefined) {
        const seen = looks.filter((query) => query.index > from.index && query.index < index);
        restsOn(seen.filter((query) => query.reply === outcome.reply));
        continue;
      }
      const stored = call.id === null ? undefined : replies.get(`${call.actor} ${call.id}`);
      if (stored !== undefined && stored < index) continue;
      if (mine.some((turn) => (durable.get(turn) ?? Infinity) < index)) continue;
      // A turn that changes nothing is not committed: its answer rests on the state it saw.
      const idle = turnsThatEnded("done").filter(({ turn }) => !left.has(turn));
      if (idle.length > 0 && call.id === null) restsOn(idle);
      else report("answered-before-durable", name);
    }
  }
  return [...violations, ...checkIds(history, answers, durable, turns)];
}

/** Whether one of the looks saw a state that was durable, and present when the call was made or later. */
function judge(
  looks: readonly Look[],
  versions: readonly Version[] = [{ index: -1, version: 0, state: null }],
  from: number,
  to: number,
): "undurable-answer" | "stale-answer" | undefined {
  let verdict: "undurable-answer" | "stale-answer" = "undurable-answer";
  for (const { state } of looks) {
    for (let i = versions.length - 1; i >= 0; i--) {
      const version = versions[i] as Version;
      if (version.index > to || version.state !== state) continue;
      if ((versions[i + 1]?.index ?? Infinity) > from) return undefined;
      verdict = "stale-answer";
    }
  }
  return verdict;
}

/** G5: an id is one message, has one effect and one answer. */
function checkIds(
  history: History,
  answers: readonly { readonly index: number; readonly answer: AnswerEntry; readonly asked: Asked }[],
  durable: ReadonlyMap<FinishedEntry, number>,
  turns: Replay["turns"],
): Violation[] {
  const violations: Violation[] = [];
  const effects = new Map<string, FinishedEntry>();
  for (const [turn, index] of durable) {
    if (turn.id === null) continue;
    const key = `${turn.actor} ${turn.id}`;
    const first = effects.get(key);
    if (first === undefined) effects.set(key, turn);
    else {
      const detail = `${turn.id} of ${turn.actor} in the turns ${first.turn} and ${turn.turn}, begun at the lines ${turns.get(first.turn)?.index} and ${turns.get(turn.turn)?.index} of ${history.length}`;
      violations.push(violation("effect-twice", index, detail, [turn.actor, turn.id]));
    }
  }
  const firsts = new Map<string, { readonly reply: string | null; readonly call: CallEntry }>();
  for (const { index, answer, asked } of answers) {
    const { call } = asked;
    const { outcome } = answer;
    if (call.id === null || outcome.kind !== "ok") continue;
    const key = `${call.actor} ${call.id}`;
    const first = firsts.get(key);
    if (first === undefined) {
      firsts.set(key, { reply: outcome.reply, call });
      continue;
    }
    const about = [call.actor, call.id];
    if (first.call.message !== call.message || first.call.input !== call.input) {
      const detail = `${call.id} of ${call.actor} with ${first.call.message} ${first.call.input}, then ${call.message} ${call.input}`;
      violations.push(violation("id-reused", index, detail, about));
    } else if (first.reply !== outcome.reply) {
      const detail = `${call.id} of ${call.actor} got ${first.reply}, then ${outcome.reply}`;
      violations.push(violation("answers-differ", index, detail, about));
    }
  }
  return violations;
}

function put<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const values = map.get(key);
  if (values === undefined) map.set(key, [value]);
  else values.push(value);
}
