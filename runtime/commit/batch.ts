import type { Partition } from "../ownership/partition.ts";
import type {
  CommitBatch,
  IndexWrite,
  JournalRecord,
  OutboxRecord,
  PauseWrite,
  StateWrite,
  TimerWrite,
} from "../ports/store.ts";
import type { FinishedTurn } from "../turn/finished-turn.ts";

/**
 * Puts turns together as one commit. A state or timer that several turns wrote appears once, with its last value;
 * effects are numbered in the order the turns ended, from what is committed in each partition.
 */
export function buildBatch(turns: readonly FinishedTurn[], partitions: ReadonlyMap<number, Partition>): CommitBatch {
  const states = new Map<unknown, StateWrite>();
  const timers = new Map<string, TimerWrite>();
  const replies: CommitBatch["replies"][number][] = [];
  const outbox: OutboxRecord[] = [];
  const index = new Map<unknown, readonly IndexWrite[]>();
  let journal: JournalRecord[] | undefined;
  let pauses: Map<string, PauseWrite> | undefined;
  const seqs = new Map<number, number>();
  for (const partition of partitions.values()) seqs.set(partition.id, partition.lastSeq);

  for (const turn of turns) {
    const { id, partition, address, schemaVersion } = turn.activation;
    const { type, key } = id;
    if (turn.pause !== undefined) {
      (pauses ??= new Map()).set(address, turn.pause);
      continue;
    }
    if (turn.answerOnly) {
      if (turn.reply !== undefined) replies.push({ ...turn.reply, type, key, partition, at: turn.at });
      continue;
    }
    if (turn.journal === undefined || turn.journal.snapshot)
      states.set(turn.activation, { type, key, partition, version: turn.version, state: turn.state, schemaVersion });
    if (turn.reply !== undefined) replies.push({ ...turn.reply, type, key, partition, at: turn.at });
    if (turn.journal !== undefined) (journal ??= []).push(...journalRows(turn, seqs.get(partition) ?? 0));
    for (const effect of turn.effects ?? []) {
      const seq = (seqs.get(partition) ?? 0) + 1;
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
    if (turn.index !== undefined) {
      index.set(
        turn.activation,
        turn.index.map(({ field, value }) => ({ type, key, partition, field, value })),
      );
    }
    for (const write of turn.timers?.values() ?? []) timers.set(`${address}\u0000${write.name}`, write);
  }
  const fences = [...partitions.values()].map(({ id, epoch }) => ({
    partition: id,
    epoch,
    lastSeq: seqs.get(id) ?? 0,
  }));
  return {
    fences,
    states: [...states.values()],
    replies,
    outbox,
    timers: [...timers.values()],
    index: [...index.values()].flat(),
    ...(pauses !== undefined && { pauses: [...pauses.values()] }),
    ...(journal && { journal }),
  };
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
