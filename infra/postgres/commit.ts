import { PARTITION_COUNT, type CommitBatch } from "#runtime";
import type { Sql } from "./pool.ts";

/**
 * The commit of a batch: one statement, so one transaction and one round trip. The fence comes first; everything else
 * is written only where all of its partitions were held, and `refuse_commit()` rolls the statement back otherwise.
 *
 * Parts that a batch does not need are left out: each combination is a prepared statement of its own.
 */
export function commitStatement(sql: Sql, node: string, batch: CommitBatch): PromiseLike<unknown> {
  const { fences, replies, outbox, timers } = batch;
  const kept = batch.states.filter((write) => write.state !== undefined);
  const gone = batch.states.filter((write) => write.state === undefined);
  const set = timers.filter((write) => write.dueAt !== undefined);
  const unset = timers.filter((write) => write.dueAt === undefined);
  if (fences.length > PARTITION_COUNT) throw new RangeError("Cannot commit to more partitions than there are");
  return sql`
    with fence as (
      update partitions p set commit_seq = p.commit_seq + 1, last_seq = u.last_seq
      from unnest(${fences.map((f) => f.partition)}::smallint[], ${fences.map((f) => f.epoch)}::bigint[],
                  ${fences.map((f) => f.lastSeq)}::bigint[]) u (id, epoch, last_seq)
      where p.id = u.id and p.owner = ${node} and p.epoch = u.epoch
      returning 1
    ), held as (select count(*) = ${fences.length}::int as ok from fence)
    ${
      kept.length === 0
        ? sql``
        : sql`, kept as (
      insert into actor_states (type, key, partition, version, state)
      select type, key, partition, version, state::json
      from held, unnest(${kept.map((w) => w.type)}::text[], ${kept.map((w) => w.key)}::text[],
                        ${kept.map((w) => w.partition)}::smallint[], ${kept.map((w) => w.version)}::bigint[],
                        ${kept.map((w) => w.state as string)}::text[]) u (type, key, partition, version, state)
      where ok
      on conflict (type, key) do update set version = excluded.version, state = excluded.state)`
    }
    ${
      gone.length === 0
        ? sql``
        : sql`, gone as (
      delete from actor_states a
      using held, unnest(${gone.map((w) => w.type)}::text[], ${gone.map((w) => w.key)}::text[]) u (type, key)
      where ok and a.type = u.type and a.key = u.key)`
    }
    ${
      replies.length === 0
        ? sql``
        : sql`, answered as (
      insert into replies (type, key, id, hash, reply, at_ms)
      select type, key, id, hash, reply, at_ms
      from held, unnest(${replies.map((r) => r.type)}::text[], ${replies.map((r) => r.key)}::text[],
                        ${replies.map((r) => r.id)}::text[], ${replies.map((r) => r.hash)}::text[],
                        ${replies.map((r) => r.reply ?? null)}::text[], ${replies.map((r) => r.at)}::bigint[])
           u (type, key, id, hash, reply, at_ms)
      where ok
      on conflict (type, key, id) do update set hash = excluded.hash, reply = excluded.reply, at_ms = excluded.at_ms)`
    }
    ${
      outbox.length === 0
        ? sql``
        : sql`, left_actor as (
      insert into outbox (partition, seq, kind, id, name, actor_type, actor_key, target, body, at_ms, traceparent)
      select partition, seq, kind, id, name, actor_type, actor_key, target, body, at_ms, traceparent
      from held, unnest(${outbox.map((r) => r.partition)}::smallint[], ${outbox.map((r) => r.seq)}::bigint[],
                        ${outbox.map((r) => r.kind)}::text[], ${outbox.map((r) => r.id)}::text[],
                        ${outbox.map((r) => r.name)}::text[], ${outbox.map((r) => r.actor.type)}::text[],
                        ${outbox.map((r) => r.actor.key)}::text[], ${outbox.map((r) => r.target)}::text[],
                        ${outbox.map((r) => r.body)}::text[], ${outbox.map((r) => r.at)}::bigint[],
                        ${outbox.map((r) => r.traceparent ?? null)}::text[])
           u (partition, seq, kind, id, name, actor_type, actor_key, target, body, at_ms, traceparent)
      where ok)`
    }
    ${
      set.length === 0
        ? sql``
        : sql`, set_timers as (
      insert into timers (type, key, name, partition, due_ms, message, input)
      select type, key, name, partition, due_ms, message, input
      from held, unnest(${set.map((t) => t.type)}::text[], ${set.map((t) => t.key)}::text[], ${set.map((t) => t.name)}::text[],
                        ${set.map((t) => t.partition)}::smallint[], ${set.map((t) => t.dueAt as number)}::bigint[],
                        ${set.map((t) => (t.dueAt === undefined ? "" : t.message))}::text[],
                        ${set.map((t) => (t.dueAt === undefined ? null : (t.input ?? null)))}::text[])
           u (type, key, name, partition, due_ms, message, input)
      where ok
      on conflict (type, key, name) do update set due_ms = excluded.due_ms, message = excluded.message, input = excluded.input)`
    }
    ${
      unset.length === 0
        ? sql``
        : sql`, unset_timers as (
      delete from timers t
      using held, unnest(${unset.map((t) => t.type)}::text[], ${unset.map((t) => t.key)}::text[],
                         ${unset.map((t) => t.name)}::text[]) u (type, key, name)
      where ok and t.type = u.type and t.key = u.key and t.name = u.name)`
    }
    select case when ok then true else refuse_commit() end from held`;
}
