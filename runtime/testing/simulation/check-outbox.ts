import type { FinishedEntry, History, RecordEntry, WorldEntry } from "./history.ts";
import type { Replay } from "./replay.ts";
import { type Violation, violation } from "./violation.ts";

interface Committed {
  readonly index: number;
  readonly record: RecordEntry;
}

/** G6: what leaves the system was committed, all of it leaves, in order; sends take effect once and in order. */
export function checkOutbox(history: History, replay: Replay): Violation[] {
  const committed = new Map<string, Committed>();
  for (const { index, commit } of replay.commits) {
    for (const record of commit.outbox) committed.set(record.id, { index, record });
  }
  const letters = new Set(history.flatMap((entry) => (entry.kind === "dead-letter" ? [entry.id] : [])));
  const world = history.find((entry) => entry.kind === "world");
  const ended = history.some((entry) => entry.kind === "end");
  return [
    ...checkSinks(history, world, committed, letters, ended),
    ...checkSends(history, world, replay, committed, letters, ended),
  ];
}

function checkSinks(
  history: History,
  world: WorldEntry | undefined,
  committed: ReadonlyMap<string, Committed>,
  letters: ReadonlySet<string>,
  ended: boolean,
): Violation[] {
  const violations: Violation[] = [];
  const taken = new Map<string, RecordEntry>();
  const reached = new Map<string, RecordEntry>();
  history.forEach((entry, index) => {
    if (entry.kind !== "published") return;
    const { sink, record } = entry;
    const about = [record.actor, record.id];
    const source = committed.get(record.id);
    if (source === undefined || source.index > index) {
      const detail = `${record.id} of ${record.actor} reached ${sink} before any commit held it`;
      violations.push(violation("phantom-record", index, detail, about));
    }
    const same = taken.get(`${sink} ${record.id}`) ?? source?.record;
    if (same !== undefined && !isSame(same, record)) {
      const detail = `${record.id} at ${sink} was ${JSON.stringify(same)}, is ${JSON.stringify(record)}`;
      violations.push(violation("repeat-differs", index, detail, about));
    }
    if (taken.has(`${sink} ${record.id}`)) return;
    taken.set(`${sink} ${record.id}`, record);
    const before = reached.get(`${sink} ${record.actor}`);
    if (before !== undefined && before.seq > record.seq) {
      const detail = `${sink} got number ${record.seq} of ${record.actor} behind number ${before.seq}`;
      violations.push(violation("record-order", index, detail, [...about, before.id]));
    }
    reached.set(`${sink} ${record.actor}`, record);
  });
  if (!ended) return violations;
  for (const { index, record } of committed.values()) {
    for (const { name, accepts } of world?.sinks ?? []) {
      if (accepts !== record.kind || taken.has(`${name} ${record.id}`) || letters.has(`${name}:${record.id}`)) continue;
      const detail = `number ${record.seq} of partition ${record.partition}, ${record.id} of ${record.actor}, is not at ${name}`;
      violations.push(violation("record-lost", index, detail, [record.actor, record.id]));
    }
  }
  return violations;
}

function checkSends(
  history: History,
  world: WorldEntry | undefined,
  { durable }: Replay,
  committed: ReadonlyMap<string, Committed>,
  letters: ReadonlySet<string>,
  ended: boolean,
): Violation[] {
  const violations: Violation[] = [];
  const arrived = new Set<string>();
  const latest = new Map<string, RecordEntry>();
  history.forEach((entry, index) => {
    if (entry.kind !== "finished" || entry.id?.startsWith("msg_") !== true) return;
    const source = committed.get(entry.id);
    if (source !== undefined && source.index < index) return;
    const detail = `${entry.id} was handled by ${entry.actor} before any commit held it`;
    violations.push(violation("phantom-record", index, detail, [entry.actor, entry.id]));
  });
  const inOrder: [FinishedEntry, number][] = [...durable];
  for (const [turn, index] of inOrder) {
    const record = turn.id === null ? undefined : committed.get(turn.id)?.record;
    if (record?.kind !== "send" || arrived.has(record.id)) continue;
    arrived.add(record.id);
    const pair = `${record.actor} to ${record.target}`;
    const before = latest.get(pair);
    if (before !== undefined && before.seq > record.seq) {
      const detail = `from ${pair} number ${record.seq} took effect behind number ${before.seq}`;
      violations.push(violation("send-order", index, detail, [record.actor, record.target, record.id]));
    }
    latest.set(pair, record);
  }
  if (!ended) return violations;
  const queries = new Set(world?.queries);
  for (const { index, record } of committed.values()) {
    if (record.kind !== "send" || arrived.has(record.id) || letters.has(`actors:${record.id}`)) continue;
    if (queries.has(`${record.target.split("/", 1)[0]}.${record.name}`)) continue;
    const detail = `${record.name} from ${record.actor} to ${record.target}, ${record.id}`;
    violations.push(violation("send-lost", index, detail, [record.actor, record.target, record.id]));
  }
  return violations;
}

function isSame(a: RecordEntry, b: RecordEntry): boolean {
  return (
    a.seq === b.seq && a.partition === b.partition && a.name === b.name && a.actor === b.actor && a.body === b.body
  );
}
