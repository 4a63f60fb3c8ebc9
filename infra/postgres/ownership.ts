/** Nodes with their leases, and who holds which partition. */

import type { Fence, Grant, NodeInfo, NodeContracts, NodeId, NodeRow, Ownership } from "#runtime";
import { arrayLiteral } from "./array-literal.ts";
import type { Pool } from "./pool.ts";

/** As {@link Store.heartbeat}: renews the lease, and lists who owns what. */
export async function heartbeat(
  pool: Pool,
  node: NodeId,
  leaseMs: number,
  info?: NodeInfo,
): Promise<readonly Ownership[]> {
  // An answer that comes after the lease has run out is worth nothing; the floor is for a server that just woke up.
  const deadlineMs = Math.max(leaseMs, 1_000);
  const { contracts, ...rest } = info ?? {};
  const said = info === undefined ? null : JSON.stringify(rest);
  await pool.run(
    (sql) => sql`
      insert into nodes (id, expires_at, card, contracts)
      values (${node}, now() + ${leaseMs}::int * interval '1 ms', ${said}::text, ${contracts ?? null}::text)
      on conflict (id) do update set expires_at = excluded.expires_at, card = coalesce(excluded.card, nodes.card),
        contracts = coalesce(excluded.contracts, nodes.contracts)`,
    deadlineMs,
  );
  // A second statement, so that it sees what was taken while the first one waited for a taker's lock.
  const rows = await pool.run(
    (sql) => sql<{ partition: number; owner: string | null; epoch: number }[]>`
      select p.id as partition, p.epoch::float8 as epoch, case when n.expires_at > now() then p.owner end as owner
      from partitions p left join nodes n on n.id = p.owner`,
    deadlineMs,
  );
  return rows.map(({ partition, owner, epoch }) => ({ partition, epoch, owner: owner ?? undefined }));
}

/** The nodes whose lease has not run out. */
export async function liveNodes(pool: Pool): Promise<readonly NodeRow[]> {
  const rows = await pool.run(
    (sql) => sql<{ id: string; card: string | null; since: number; leaseLeftMs: number }[]>`
      select id, card, extract(epoch from since)::float8 * 1000 as since,
             extract(epoch from expires_at - now())::float8 * 1000 as "leaseLeftMs"
      from nodes where expires_at > now() order by id collate "C"`,
  );
  return rows.map(({ card, since, ...row }) => ({
    ...row,
    since: Math.round(since),
    info: card === null ? undefined : infoOf(card),
  }));
}

/** The contracts of those of them that gave any. */
export function contractsOfNodes(pool: Pool): Promise<readonly NodeContracts[]> {
  return pool.run(
    (sql) => sql<NodeContracts[]>`
      select id as node, contracts from nodes where expires_at > now() and contracts is not null order by id collate "C"`,
  );
}

/** Takes every partition that nobody holds, or whose holder's lease has run out. */
export function acquirePartitions(pool: Pool, node: NodeId, partitions?: readonly number[]): Promise<readonly Grant[]> {
  const wanted = partitions === undefined ? null : arrayLiteral(partitions);
  // The holder's lease row is locked too: a renewal that comes meanwhile either comes first, and keeps its
  // partitions, or waits, and then sees that they are gone. Locked rows are in use: skipped.
  return pool.run(
    (sql) => sql<Grant[]>`
      with expired as (
        select p.id from partitions p join nodes n on n.id = p.owner
        where n.expires_at <= now() and p.owner <> ${node} and (${wanted}::smallint[] is null or p.id = any(${wanted}::smallint[]))
        order by p.id for update of p, n skip locked
      ), free as (
        select id from partitions
        where owner is null and (${wanted}::smallint[] is null or id = any(${wanted}::smallint[]))
        order by id for update skip locked
      )
      update partitions p set owner = ${node}, epoch = p.epoch + 1
      from (select id, true as abandoned from expired union all select id, false from free) f where p.id = f.id
      returning p.id as partition, p.epoch::float8 as epoch, p.commit_seq::float8 as "commitSeq", p.last_seq::float8 as "lastSeq",
        f.abandoned`,
  );
}

/** Gives partitions back. */
export async function releasePartitions(pool: Pool, node: NodeId, partitions: readonly Fence[]): Promise<void> {
  await pool.run(
    (sql) => sql`
      update partitions p set owner = null
      from unnest(${arrayLiteral(partitions.map((f) => f.partition))}::smallint[], ${arrayLiteral(partitions.map((f) => f.epoch))}::bigint[]) u (id, epoch)
      where p.id = u.id and p.owner = ${node} and p.epoch = u.epoch`,
  );
}

/** Raises the epoch of partitions that the node holds. */
export function settlePartitions(pool: Pool, node: NodeId, partitions: readonly Fence[]): Promise<readonly Grant[]> {
  return pool.run(
    (sql) => sql<Grant[]>`
      update partitions p set epoch = p.epoch + 1
      from unnest(${arrayLiteral(partitions.map((f) => f.partition))}::smallint[]) u (id)
      where p.id = u.id and p.owner = ${node}
      returning p.id as partition, p.epoch::float8 as epoch, p.commit_seq::float8 as "commitSeq", p.last_seq::float8 as "lastSeq"`,
  );
}

/** What {@link heartbeat} wrote; JSON has no `undefined`. */
function infoOf(text: string): Omit<NodeInfo, "contracts"> {
  const info = JSON.parse(text) as Omit<NodeInfo, "contracts" | "address"> & { readonly address?: string };
  return { ...info, address: info.address };
}
