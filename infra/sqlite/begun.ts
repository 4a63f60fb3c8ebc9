import type { BegunMessage } from "#runtime";
import type { SqlDatabase } from "./database.ts";

/** What was begun in the partitions and is not known to have ended. */
export function selectBegun(file: SqlDatabase, partitions: readonly number[]): readonly BegunMessage[] {
  return file.all<BegunMessage>(
    `select type, key, id, partition, count, at_ms as at from begun_messages
     where partition in (select value from json_each(?))`,
    JSON.stringify(partitions),
  );
}

/** Writes down how often each was begun; a count of 0 forgets the message. */
export function saveBegun(file: SqlDatabase, messages: readonly BegunMessage[]): void {
  for (const { type, key, id, partition, count, at } of messages) {
    if (count === 0) {
      file.run("delete from begun_messages where type = ? and key = ? and id = ?", type, key, id);
      continue;
    }
    file.run(
      `insert into begun_messages (type, key, id, partition, count, at_ms) values (?, ?, ?, ?, ?, ?)
       on conflict (type, key, id) do update set count = excluded.count, at_ms = excluded.at_ms`,
      ...[type, key, id, partition, count, at],
    );
  }
}

/** Forgets what was begun last before `before`. */
export function pruneBegun(file: SqlDatabase, before: number): void {
  file.run("delete from begun_messages where at_ms < ?", before);
}
