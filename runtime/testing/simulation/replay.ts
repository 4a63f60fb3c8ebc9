import type { CommitEntry, FinishedEntry, History, OwnershipEntry, TurnEntry } from "./history.ts";
import { type Violation, violation } from "./violation.ts";

/** A committed state of an actor; `index` is where in the history it was committed, -1 for the state before all. */
export interface Version {
  readonly index: number;
  readonly version: number;
  readonly state: string | null;
}

/** The commits of a history, and which turns each of them wrote. */
export interface Replay {
  readonly violations: readonly Violation[];
  /** Applied commits, with the turns they hold, in order per actor. */
  readonly commits: readonly {
    readonly index: number;
    readonly commit: CommitEntry;
    readonly turns: readonly FinishedEntry[];
  }[];
  /** Where each turn became durable. */
  readonly durable: ReadonlyMap<FinishedEntry, number>;
  /** Committed states by actor, oldest first, beginning with none. */
  readonly versions: ReadonlyMap<string, readonly Version[]>;
  readonly turns: ReadonlyMap<number, { readonly index: number; readonly entry: TurnEntry }>;
}

/** Follows the commits of a history: G2, G4, and the numbers of G6. */
export function replay(history: History): Replay {
  const replaying = new Replaying();
  history.forEach((entry, index) => {
    if (entry.kind === "turn") replaying.turns.set(entry.turn, { index, entry });
    else if (entry.kind === "finished") replaying.finished(entry);
    else if (entry.kind === "ownership") replaying.owned(entry);
    else if (entry.kind === "commit" && entry.outcome === "applied") replaying.commit(index, entry);
  });
  return replaying;
}

class Replaying implements Replay {
  readonly violations: Violation[] = [];
  readonly commits: { index: number; commit: CommitEntry; turns: FinishedEntry[] }[] = [];
  readonly durable = new Map<FinishedEntry, number>();
  readonly versions = new Map<string, Version[]>();
  readonly turns = new Map<number, { index: number; entry: TurnEntry }>();
  readonly #owners = new Map<number, { readonly node: string | null; readonly epoch: number }>();
  readonly #seqs = new Map<number, number>();
  /** Finished turns by node, actor and version: more than one, where an actor started anew. */
  readonly #finished = new Map<string, FinishedEntry[]>();
  /** Finished turns that made no version, by number. */
  readonly #unchanged = new Map<number, FinishedEntry>();

  finished(entry: FinishedEntry): void {
    if (entry.unchanged === true) {
      this.#unchanged.set(entry.turn, entry);
      return;
    }
    const key = `${entry.node} ${entry.actor} ${entry.version}`;
    const known = this.#finished.get(key);
    if (known === undefined) this.#finished.set(key, [entry]);
    else known.push(entry);
  }

  owned(entry: OwnershipEntry): void {
    // Nobody gives back what was taken from him meanwhile.
    if (entry.node === null && this.#owners.get(entry.partition)?.epoch !== entry.epoch) return;
    this.#owners.set(entry.partition, entry);
  }

  commit(index: number, commit: CommitEntry): void {
    this.#fences(index, commit);
    const turns: FinishedEntry[] = [];
    for (const write of commit.states) turns.push(...this.#state(index, commit, write));
    if (commit.unchanged !== undefined) {
      turns.push(...commit.unchanged.flatMap((turn) => this.#keptState(index, turn)));
      turns.sort((a, b) => a.turn - b.turn);
    }
    this.#numbers(index, commit);
    this.commits.push({ index, commit, turns });
    for (const turn of turns) this.durable.set(turn, index);
    const { node } = commit;
    for (const [what, held, left] of contents(commit, turns)) {
      if (held === left) continue;
      const detail = `the commit of ${node} has the ${what} ${held}, its turns left ${left}`;
      const about = [...commit.states.map(({ actor }) => actor), ...commit.outbox.map(({ id }) => id)];
      this.violations.push(violation("partial-turn", index, detail, about));
    }
  }

  #fences(index: number, { node, fences, states }: CommitEntry): void {
    for (const { partition, epoch } of fences) {
      const owner = this.#owners.get(partition);
      if (owner?.node === node && owner.epoch === epoch) continue;
      const holder = owner?.node == null ? "nobody" : `${owner.node} under epoch ${owner.epoch}`;
      const detail = `${node} wrote to partition ${partition} under epoch ${epoch}, ${holder} holds it`;
      this.violations.push(
        violation(
          "stale-write",
          index,
          detail,
          states.map(({ actor }) => actor),
        ),
      );
    }
  }

  /** The turns that one state write stands for: from the version before it to its own. */
  #state(index: number, { node, outbox }: CommitEntry, write: CommitEntry["states"][number]): FinishedEntry[] {
    const { actor, version, state } = write;
    const versions = this.versions.get(actor) ?? [{ index: -1, version: 0, state: null }];
    this.versions.set(actor, versions);
    const last = versions.at(-1) as Version;
    const turns: FinishedEntry[] = [];
    // An actor that was destroyed counts on while it is in memory, and from 0 once it was loaded again.
    const fresh = last.state === null && !this.#finished.has(`${node} ${actor} ${last.version + 1}`);
    const from = fresh ? 0 : last.version;
    if (version <= from) {
      versions.push({ index, version, state });
      const detail = `${node} wrote version ${version} of ${actor} over version ${from}`;
      this.violations.push(violation("version-fork", index, detail, [actor]));
      return turns;
    }
    let before = last.state;
    for (let v = from + 1; v <= version; v++) {
      const made = this.#finished.get(`${node} ${actor} ${v}`) ?? [];
      // Of several turns that made this version, the one that the commit is of; the last one, when it is of none.
      const fits = (turn: FinishedEntry): boolean =>
        (v < version || turn.state === state) && turn.effects.every((id) => outbox.some((record) => record.id === id));
      const turn = made.findLast(fits) ?? made.at(-1);
      if (turn === undefined) {
        versions.push({ index, version, state });
        const detail = `${node} wrote version ${version} of ${actor} over ${from}, but made no version ${v} of it`;
        this.violations.push(violation("version-gap", index, detail, [actor]));
        return turns;
      }
      const began = this.turns.get(turn.turn)?.entry.state;
      if (began !== undefined && began !== before) {
        const detail = `turn ${turn.turn} of ${actor} began on ${began}, committed before it is ${before}`;
        this.violations.push(violation("trace-left", index, detail, [actor]));
      }
      before = turn.state;
      turns.push(turn);
      // Turns that share a commit become durable together, each with its own state.
      versions.push({ index, version: v, state: v === version ? state : turn.state });
    }
    return turns;
  }

  /** A turn that made no version: the state that it left is the one that was committed last, or is by this commit. */
  #keptState(index: number, number: number): FinishedEntry[] {
    const turn = this.#unchanged.get(number);
    if (turn === undefined) return [];
    const { actor, version, state } = turn;
    const versions = this.versions.get(actor) ?? [{ index: -1, version: 0, state: null }];
    const before = versions.findLast((made) => made.index < index);
    const rests = (made: Version): boolean =>
      made.state === state && (state === null || made.version === version) && (made.index === index || made === before);
    const began = this.turns.get(number)?.entry.state;
    if (!versions.some(rests) || (began !== undefined && began !== state)) {
      const detail = `turn ${number} of ${actor} began on ${began} and kept ${state} in version ${version}, committed is ${before?.state} in version ${before?.version}`;
      this.violations.push(violation("trace-left", index, detail, [actor]));
    }
    return [turn];
  }

  #numbers(index: number, { node, outbox, fences }: CommitEntry): void {
    const seqs = this.#seqs;
    const wrong = (partition: number, seq: number): void => {
      const detail = `${node} wrote number ${seq} of partition ${partition} behind ${seqs.get(partition) ?? 0}`;
      const about = outbox.filter((record) => record.partition === partition).map(({ id }) => id);
      this.violations.push(violation("sequence-gap", index, detail, about));
    };
    for (const { partition, seq } of outbox) {
      if (seq !== (seqs.get(partition) ?? 0) + 1) wrong(partition, seq);
      seqs.set(partition, seq);
    }
    for (const { partition, lastSeq } of fences) {
      if (lastSeq === (seqs.get(partition) ?? 0)) continue;
      wrong(partition, lastSeq);
      seqs.set(partition, lastSeq);
    }
  }
}

/** What a commit holds beside what its turns left, as texts to compare. */
function contents(commit: CommitEntry, turns: readonly FinishedEntry[]): [string, string, string][] {
  const timers = new Map<string, string>();
  for (const turn of turns) {
    for (const { name, dueAt } of turn.timers) timers.set(`${turn.actor} ${name}`, `${turn.actor} ${name} ${dueAt}`);
  }
  const changed = turns.filter(({ unchanged }) => unchanged !== true);
  const states = new Map(changed.map(({ actor, state }) => [actor, `${actor} ${state}`]));
  return [
    ["states", sorted(commit.states.map(({ actor, state }) => `${actor} ${state}`)), sorted(states.values())],
    ["records", sorted(commit.outbox.map(({ id }) => id)), sorted(turns.flatMap(({ effects }) => effects))],
    [
      "replies",
      sorted(commit.replies.map(({ actor, id }) => `${actor} ${id}`)),
      sorted(turns.flatMap(({ actor, id }) => (id === null ? [] : [`${actor} ${id}`]))),
    ],
    [
      "timers",
      sorted(commit.timers.map(({ actor, name, dueAt }) => `${actor} ${name} ${dueAt}`)),
      sorted(timers.values()),
    ],
  ];
}

function sorted(texts: Iterable<string>): string {
  return `[${[...texts].toSorted().join(", ")}]`;
}
