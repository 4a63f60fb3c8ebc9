/** Who holds which partition. Leases are counted by the clock of the machine. */

import type { Fence, Grant, NodeId, Ownership } from "#runtime";
import type { SqlDatabase } from "./database.ts";

const GRANTED = 'id as partition, epoch, commit_seq as "commitSeq", last_seq as "lastSeq"';

/** Every partition with its owner, if that one's lease is good at `now`. */
export function ownerships(file: SqlDatabase, now: number): Ownership[] {
  const rows = file.all<{ partition: number; epoch: number; owner: string | null }>(
    `select p.id as partition, p.epoch, case when n.expires_ms > ? then p.owner end as owner
     from partitions p left join nodes n on n.id = p.owner`,
    now,
  );
  return rows.map(({ partition, epoch, owner }) => ({ partition, epoch, owner: owner ?? undefined }));
}

/** Takes every partition, or of the given ones, that nobody holds or whose holder's lease has run out at `now`. */
export function acquirePartitions(
  file: SqlDatabase,
  node: NodeId,
  now: number,
  partitions?: readonly number[],
): Grant[] {
  const owned = file.all<{ id: number }>("select id from partitions where owner is not null");
  const before = new Set(owned.map(({ id }) => id));
  const grants = file.all<Grant>(
    `update partitions set owner = ?1, epoch = epoch + 1
     where (?3 is null or id in (select value from json_each(?3)))
       and (owner is null
            or owner <> ?1 and not exists (select 1 from nodes n where n.id = owner and n.expires_ms > ?2))
     returning ${GRANTED}`,
    ...[node, now, partitions === undefined ? null : JSON.stringify(partitions)],
  );
  return grants.map((grant) => ({ ...grant, abandoned: before.has(grant.partition) }));
}

/** Gives partitions back; those that are held under another epoch are left alone. */
export function releasePartitions(file: SqlDatabase, node: NodeId, partitions: readonly Fence[]): void {
  for (const { partition, epoch } of partitions) {
    file.run(
      "update partitions set owner = null where id = ? and owner = ? and epoch = ?",
      ...[partition, node, epoch],
    );
  }
}

/** Raises the epoch of partitions that the node holds. */
export function settlePartitions(file: SqlDatabase, node: NodeId, partitions: readonly Fence[]): Grant[] {
  const settled = `update partitions set epoch = epoch + 1 where id = ? and owner = ? returning ${GRANTED}`;
  return partitions.flatMap(({ partition }) => file.all<Grant>(settled, partition, node));
}
