import { type CommitBatch, FencedError, type Fence, type IndexWrite, type PauseWrite } from "#runtime";
import type { SqlDatabase } from "./database.ts";

/**
 * Writes a batch inside the transaction of the caller, its fence first.
 * @throws {FencedError} a partition is not held by the node under its epoch: the caller rolls back.
 */
export function writeBatch(file: SqlDatabase, node: string, batch: CommitBatch): void {
  for (const fence of batch.fences) {
    const touched = file.run(
      "update partitions set commit_seq = commit_seq + 1, last_seq = ? where id = ? and owner = ? and epoch = ?",
      fence.lastSeq,
      fence.partition,
      node,
      fence.epoch,
    );
    if (touched !== 1) throw fenced(fence);
  }
  writeStates(file, batch);
  for (const { type, key, id, hash, reply, at } of batch.replies) {
    file.run(
      `insert into replies (type, key, id, hash, reply, at_ms) values (?, ?, ?, ?, ?, ?)
       on conflict (type, key, id) do update set hash = excluded.hash, reply = excluded.reply, at_ms = excluded.at_ms`,
      ...[type, key, id, hash, reply ?? null, at],
    );
  }
  for (const { partition, seq, kind, id, name, actor, target, body, at, traceparent } of batch.outbox) {
    file.run(
      `insert into outbox (partition, seq, kind, id, name, actor_type, actor_key, target, body, at_ms, traceparent)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ...[partition, seq, kind, id, name, actor.type, actor.key, target, body, at, traceparent ?? null],
    );
  }
  writeTimers(file, batch);
  writePauses(file, batch.pauses ?? []);
  for (const { type, key, seq, partition, position, id, name, at, data, traceparent } of batch.journal ?? []) {
    file.run(
      `insert into journal (type, key, seq, partition, position, id, name, at_ms, data, traceparent)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      ...[type, key, seq, partition, position, id, name, at, data, traceparent ?? null],
    );
  }
  writeIndex(file, batch.index);
}

/** @throws {FencedError} unless the node holds all of the partitions under these epochs. */
export function checkFences(file: SqlDatabase, node: string, fences: readonly Fence[]): void {
  for (const fence of fences) {
    const { partition, epoch } = fence;
    const held = file.get("select 1 from partitions where id = ? and owner = ? and epoch = ?", partition, node, epoch);
    if (held === undefined) throw fenced(fence);
  }
}

export function writeIndex(file: SqlDatabase, writes: readonly IndexWrite[]): void {
  for (const { type, key, field, value, partition } of writes) {
    if (value === undefined) {
      file.run("delete from actor_index where type = ? and key = ? and field = ?", type, key, field);
    } else {
      file.run(
        `insert into actor_index (type, key, field, value, partition) values (?, ?, ?, ?, ?)
         on conflict (type, key, field) do update set value = excluded.value where value <> excluded.value`,
        ...[type, key, field, value, partition],
      );
    }
  }
}

function writeStates(file: SqlDatabase, { states }: CommitBatch): void {
  for (const { type, key, version, state, schemaVersion = 1 } of states) {
    if (state === undefined) {
      file.run("delete from actor_states where type = ? and key = ?", type, key);
    } else {
      file.run(
        `insert into actor_states (type, key, version, schema_version, state) values (?, ?, ?, ?, ?)
         on conflict (type, key) do update
         set version = excluded.version, schema_version = excluded.schema_version, state = excluded.state`,
        ...[type, key, version, schemaVersion, state],
      );
    }
  }
}

function writeTimers(file: SqlDatabase, { timers }: CommitBatch): void {
  for (const timer of timers) {
    const { type, key, name, partition } = timer;
    if (timer.dueAt === undefined) {
      file.run("delete from timers where type = ? and key = ? and name = ?", type, key, name);
    } else {
      file.run(
        `insert into timers (type, key, name, partition, due_ms, message, input, schedule, traceparent)
         values (?, ?, ?, ?, ?, ?, ?, ?, ?)
         on conflict (type, key, name) do update
         set due_ms = excluded.due_ms, message = excluded.message, input = excluded.input, schedule = excluded.schedule,
           traceparent = excluded.traceparent`,
        ...[type, key, name, partition, timer.dueAt, timer.message, timer.input ?? null, timer.schedule ?? null],
        timer.traceparent ?? null,
      );
    }
  }
}

function writePauses(file: SqlDatabase, pauses: readonly PauseWrite[]): void {
  for (const pause of pauses) {
    const { type, key, partition } = pause;
    if (pause.since === undefined) {
      file.run("delete from paused_actors where type = ? and key = ?", type, key);
    } else {
      file.run(
        `insert into paused_actors (type, key, partition, since_ms, reason) values (?, ?, ?, ?, ?)
         on conflict (type, key) do update set since_ms = excluded.since_ms, reason = excluded.reason`,
        ...[type, key, partition, pause.since, pause.reason],
      );
    }
  }
}

function fenced({ partition, epoch }: Fence): FencedError {
  return new FencedError(`Cannot write to partition ${partition} as it is not held under epoch ${epoch}`);
}
