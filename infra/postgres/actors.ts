/** Actors as they were committed last, with their stored replies, and which of them are paused. */

import type { ActorId, ActorRow, LoadedActor, PausedActor, ReplyKey, StoredReply } from "#runtime";
import { arrayLiteral } from "./array-literal.ts";
import type { Pool } from "./pool.ts";

/** Message ids read with an actor; with more than this the others are looked up one by one. */
const REPLIES_LOADED = 1_000;

const NO_IDS: readonly string[] = [];

/** An actor that has left nothing. */
const NEVER_WRITTEN: LoadedActor = {
  state: undefined,
  version: 0,
  schemaVersion: 1,
  replyIds: NO_IDS,
  repliesComplete: true,
};

interface LoadedRow {
  readonly i: number;
  readonly version: number | null;
  readonly state: string | null;
  readonly schemaVersion: number | null;
  /** One a line. */
  readonly ids: string | null;
}

/** The stored state of each actor, with the message ids it has answered, in the order asked. */
export async function loadActors(pool: Pool, actors: readonly ActorId[]): Promise<readonly LoadedActor[]> {
  const types = arrayLiteral(actors.map((actor) => actor.type));
  const keys = arrayLiteral(actors.map((actor) => actor.key));
  // A row for each actor that has left something, however many ids it has: no id holds a line break.
  const rows = await pool.run(
    (sql) => sql<LoadedRow[]>`
      select u.i::int as i, a.version::float8 as version, a.state, a.schema_version as "schemaVersion", r.ids
      from unnest(${types}::text[], ${keys}::text[]) with ordinality u (type, key, i)
      left join actor_states a on a.type = u.type and a.key = u.key
      left join lateral (
        select string_agg(id, e'\\n') as ids from (
          select id from replies r where r.type = u.type and r.key = u.key limit ${REPLIES_LOADED + 1}::int
        ) known
      ) r on true
      where a.key is not null or r.ids is not null`,
  );
  const loaded = actors.map(() => NEVER_WRITTEN);
  for (const { i, version, state, schemaVersion, ids } of rows) {
    const replyIds = ids?.split("\n") ?? NO_IDS;
    loaded[i - 1] = {
      state: state ?? undefined,
      version: version ?? 0,
      schemaVersion: schemaVersion ?? 1,
      replyIds,
      repliesComplete: replyIds.length <= REPLIES_LOADED,
    };
  }
  return loaded;
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
