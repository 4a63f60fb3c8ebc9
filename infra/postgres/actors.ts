/** Actors as they were committed last, with their stored replies, and which of them are paused. */

import type { ActorId, ActorRow, LoadedActor, PausedActor, ReplyKey, StoredReply } from "#runtime";
import { arrayLiteral } from "./array-literal.ts";
import type { Pool } from "./pool.ts";

/** Replies read with an actor; with more than this the older ones are looked up one by one. */
const REPLIES_LOADED = 1_000;

/** The stored state of each actor, with its newest replies, in the order asked. */
export async function loadActors(pool: Pool, actors: readonly ActorId[]): Promise<readonly LoadedActor[]> {
  const types = actors.map((actor) => actor.type);
  const keys = actors.map((actor) => actor.key);
  const [states, replies] = await Promise.all([
    pool.run(
      (sql) => sql<{ i: number; version: number; state: string; schemaVersion: number }[]>`
        select u.i::int as i, a.version::float8 as version, a.state, a.schema_version as "schemaVersion"
        from unnest(${arrayLiteral(types)}::text[], ${arrayLiteral(keys)}::text[]) with ordinality u (type, key, i)
        join actor_states a on a.type = u.type and a.key = u.key`,
    ),
    pool.run(
      (sql) => sql<{ i: number; id: string; hash: string; reply: string | null }[]>`
        select u.i::int as i, r.id, r.hash, r.reply
        from unnest(${arrayLiteral(types)}::text[], ${arrayLiteral(keys)}::text[]) with ordinality u (type, key, i)
        cross join lateral (
          select id, hash, reply from replies r where r.type = u.type and r.key = u.key limit ${REPLIES_LOADED + 1}::int
        ) r`,
    ),
  ]);
  const loaded = actors.map(() => ({
    state: undefined as string | undefined,
    version: 0,
    schemaVersion: 1,
    replies: [] as StoredReply[],
  }));
  for (const { i, ...row } of states) Object.assign(loaded[i - 1] as object, row);
  for (const { i, id, hash, reply } of replies) loaded[i - 1]?.replies.push({ id, hash, reply: reply ?? undefined });
  return loaded.map((actor) => ({ ...actor, repliesComplete: actor.replies.length <= REPLIES_LOADED }));
}

/** The stored reply of each message id, in the order asked. */
export async function findReplies(
  pool: Pool,
  asked: readonly ReplyKey[],
): Promise<readonly (StoredReply | undefined)[]> {
  const types = arrayLiteral(asked.map(({ type }) => type));
  const keys = arrayLiteral(asked.map(({ key }) => key));
  const ids = arrayLiteral(asked.map(({ id }) => id));
  const rows = await pool.run(
    (sql) => sql<{ i: number; id: string; hash: string; reply: string | null }[]>`
      select u.i::int as i, r.id, r.hash, r.reply
      from unnest(${types}::text[], ${keys}::text[], ${ids}::text[]) with ordinality u (type, key, id, i)
      join replies r on r.type = u.type and r.key = u.key and r.id = u.id`,
  );
  const found = new Map(rows.map(({ i, id, hash, reply }) => [i, { id, hash, reply: reply ?? undefined }]));
  return asked.map((_, i) => found.get(i + 1));
}

/** Actors of a type in order of their key. */
export function listActors(
  pool: Pool,
  type: string,
  { limit, after }: { readonly limit: number; readonly after: string | undefined },
): Promise<readonly ActorRow[]> {
  return pool.run(
    (sql) => sql<ActorRow[]>`
      select key, version::float8 as version, state, schema_version as "schemaVersion" from actor_states
      where type = ${type} and key > ${after ?? ""} order by key limit ${limit}::int`,
  );
}

/** The paused actors of the partitions. */
export function pausedActors(pool: Pool, partitions: readonly number[]): Promise<readonly PausedActor[]> {
  return pool.run(
    (sql) => sql<PausedActor[]>`
      select type, key, partition, since_ms::float8 as since, reason from paused_actors
      where partition = any(${arrayLiteral(partitions)}::smallint[])`,
  );
}
