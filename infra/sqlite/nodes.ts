import type { NodeInfo, NodeContracts, NodeId, NodeRow } from "#runtime";
import type { SqlDatabase } from "./database.ts";

/** Renews a node's lease. What it does not say of itself this time stays as it said it before. */
export function writeNode(
  file: SqlDatabase,
  node: { readonly id: NodeId; readonly now: number; readonly expires: number; readonly info: NodeInfo | undefined },
): void {
  const { id, now, expires, info } = node;
  const { contracts, ...said } = info ?? {};
  file.run(
    `insert into nodes (id, expires_ms, since_ms, card, contracts) values (?, ?, ?, ?, ?)
     on conflict (id) do update set expires_ms = excluded.expires_ms, card = coalesce(excluded.card, card),
       contracts = coalesce(excluded.contracts, contracts)`,
    ...[id, expires, now, info === undefined ? null : JSON.stringify(said), contracts ?? null],
  );
}

/** The nodes whose lease is good at `now`, in order of their id. */
export function readNodes(file: SqlDatabase, now: number): readonly NodeRow[] {
  const rows = file.all<{ id: string; expires: number; since: number; card: string | null }>(
    "select id, expires_ms as expires, since_ms as since, card from nodes where expires_ms > ? order by id",
    now,
  );
  return rows.map(({ id, expires, since, card }) => ({
    id,
    since,
    leaseLeftMs: expires - now,
    info: card === null ? undefined : infoOf(card),
  }));
}

/** The contracts of the nodes whose lease is good at `now`. */
export function readContracts(file: SqlDatabase, now: number): readonly NodeContracts[] {
  return file.all<NodeContracts>(
    "select id as node, contracts from nodes where expires_ms > ? and contracts is not null order by id",
    now,
  );
}

/** JSON has no `undefined`: an address that was not given is missing from the text. */
function infoOf(text: string): NonNullable<NodeRow["info"]> {
  const info = JSON.parse(text) as Omit<NodeInfo, "contracts" | "address"> & { readonly address?: string };
  return { ...info, address: info.address };
}

/** Forgets nodes whose lease ran out before `before` and that hold nothing. */
export function forgetNodes(file: SqlDatabase, before: number): void {
  file.run(
    "delete from nodes where expires_ms < ? and id not in (select owner from partitions where owner is not null)",
    before,
  );
}
