import type { Partition } from "../ownership/partition.ts";
import type {
  CommitBatch,
  FieldValue,
  IndexWrite,
  JournalRecord,
  OutboxRecord,
  PauseWrite,
  StateWrite,
  TimerWrite,
} from "../ports/store.ts";
import type { FinishedTurn, TurnOwner } from "../turn/finished-turn.ts";

const NOTHING: readonly never[] = [];

/**
 * Puts turns together as one commit. A state or timer that several turns wrote appears once, with its last value;
 * effects are numbered in the order the turns ended, from what is committed in each partition.
 */
export function buildBatch(turns: readonly FinishedTurn[], partitions: ReadonlyMap<number, Partition>): CommitBatch {
  let timers: Map<string, TimerWrite> | undefined;
  const replies: CommitBatch["replies"][number][] = [];
  const outbox: OutboxRecord[] = [];
  let index: Map<unknown, readonly IndexWrite[]> | undefined;
  let journal: JournalRecord[] | undefined;
  let pauses: Map<string, PauseWrite> | undefined;
  /** Of the partitions that turns left something in: most leave nothing but a state. */
  const seqs = new Map<number, number>();
  const lastSeqOf = (partition: number): number => seqs.get(partition) ?? partitions.get(partition)?.lastSeq ?? 0;

  for (const turn of turns) {
    const { id, partition, address } = turn.activation;
    if (turn.pause !== undefined) {
      (pauses ??= new Map()).set(address, turn.pause);
      continue;
    }
    if (turn.reply !== undefined) replies.push({ ...turn.reply, type: id.type, key: id.key, partition, at: turn.at });
    if (turn.answerOnly) continue;
    if (turn.journal !== undefined) (journal ??= []).push(...journalRows(turn, lastSeqOf(partition)));
    for (const effect of turn.effects ?? NOTHING) {
      const seq = lastSeqOf(partition) + 1;
      seqs.set(partition, seq);
      outbox.push({
        partition,
        seq,
        kind: effect.kind,
        id: effect.id,
        name: effect.name,
        actor: id,
        target: effect.target,
        body: effect.body,
        at: turn.at,
        traceparent: turn.traceparent,
      });
    }
    if (turn.index !== undefined) (index ??= new Map()).set(turn.activation, indexRows(turn.activation, turn.index));
    if (turn.timers === undefined) continue;
    timers ??= new Map();
    for (const write of turn.timers.values()) timers.set(`${address}\u0000${write.name}`, write);
  }
  const fences: CommitBatch["fences"][number][] = [];
  for (const { id, epoch, lastSeq } of partitions.values())
    fences.push({ partition: id, epoch, lastSeq: seqs.size === 0 ? lastSeq : (seqs.get(id) ?? lastSeq) });
  return {
    fences,
    states: statesOf(turns),
    replies,
    outbox,
    timers: timers === undefined ? NOTHING : [...timers.values()],
    index: index === undefined ? NOTHING : [...index.values()].flat(),
    ...(pauses !== undefined && { pauses: [...pauses.values()] }),
    ...(journal && { journal }),
  };
}

/** The state of each actor as the last turn that changed it left it. From the back an actor is met with that turn first. */
function statesOf(turns: readonly FinishedTurn[]): StateWrite[] {
  const states: StateWrite[] = [];
  const batch = {};
  for (let i = turns.length - 1; i >= 0; i--) {
    const turn = turns[i] as FinishedTurn;
    const owner = turn.activation;
    if (owner.batch === batch || turn.pause !== undefined || turn.unchanged) continue;
    if (turn.journal !== undefined && !turn.journal.snapshot) continue;
    owner.batch = batch;
    const { partition, schemaVersion } = owner;
    const { type, key } = owner.id;
    states.push({ type, key, partition, version: turn.version, state: turn.state, schemaVersion });
  }
  return states.reverse();
}

/** A function of its own: its closure in the loop over the turns would cost every turn. */
function indexRows({ id, partition }: TurnOwner, values: readonly FieldValue[]): readonly IndexWrite[] {
  const { type, key } = id;
  return values.map(({ field, value }) => ({ type, key, partition, field, value }));
}

/** The journal rows of a turn, each with the place its event has in the outbox after `lastSeq`. */
function journalRows(turn: FinishedTurn, lastSeq: number): JournalRecord[] {
  const { id, partition } = turn.activation;
  const places = new Map(turn.effects?.map((effect, i) => [effect.id, lastSeq + i + 1]));
  return (turn.journal?.rows ?? []).map((row) => ({
    ...row,
    type: id.type,
    key: id.key,
    partition,
    position: places.get(row.id) ?? 0,
    at: turn.at,
    traceparent: turn.traceparent,
  }));
}
