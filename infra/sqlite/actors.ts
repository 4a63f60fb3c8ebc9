/** Actors as they were committed last, with their stored replies. */

import { type ActorId, type ActorRow, type LoadedActor, type ReplyKey, SENT_IDS, type StoredReply } from "#runtime";
import type { SqlDatabase } from "./database.ts";

/** Message ids read with an actor; with more than this the others are looked up one by one. */
const REPLIES_LOADED = 1_000;

/** The stored state of an actor, with the message ids it has answered. */
export function loadActor(file: SqlDatabase, { type, key }: ActorId): LoadedActor {
  const row = file.get<Omit<ActorRow, "key">>(
    'select state, version, schema_version as "schemaVersion" from actor_states where type = ? and key = ?',
    ...[type, key],
  );
  const ids = file.all<Pick<ReplyRow, "id">>(
    "select id from replies where type = ? and key = ? limit ?",
    ...[type, key, REPLIES_LOADED + 1],
  );
  return {
    state: row?.state,
    version: row?.version ?? 0,
    schemaVersion: row?.schemaVersion ?? 1,
    replyIds: ids.map(({ id }) => id),
    repliesComplete: ids.length <= REPLIES_LOADED,
  };
}

/** The stored reply of a message id; `undefined` where there is none. */
export function findReply(file: SqlDatabase, { type, key, id }: ReplyKey): StoredReply | undefined {
  const row = file.get<ReplyRow>(
    "select id, hash, reply from replies where type = ? and key = ? and id = ?",
    ...[type, key, id],
  );
  return row === undefined ? undefined : toReply(row);
}

/** Actors of a type in order of their key, behind `after`. */
export function listActors(
  file: SqlDatabase,
  type: string,
  { limit, after }: { readonly limit: number; readonly after: string | undefined },
): ActorRow[] {
  return file.all<ActorRow>(
    'select key, version, schema_version as "schemaVersion", state from actor_states where type = ? and key > ? order by key limit ?',
    ...[type, after ?? "", limit],
  );
}

/** Deletes stored replies older than `before`; those to sends and asks only if they are older than `sentBefore` too. */
export function pruneReplies(file: SqlDatabase, before: number, sentBefore: number, limit: number): number {
  const sent = SENT_IDS.map((prefix) => `substr(id, 1, ${prefix.length}) = '${prefix}'`).join(" or ");
  return file.run(
    `delete from replies where (type, key, id) in
       (select type, key, id from replies where at_ms < ? and (at_ms < ? or not (${sent})) limit ?)`,
    ...[before, sentBefore, limit],
  );
}

interface ReplyRow {
  readonly id: string;
  readonly hash: string;
  readonly reply: string | null;
}

function toReply({ id, hash, reply }: ReplyRow): StoredReply {
  return { id, hash, reply: reply ?? undefined };
}
