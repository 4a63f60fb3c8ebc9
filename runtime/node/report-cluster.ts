import type { ReportedActors } from "../activation/activation-directory.ts";
import type { SubscriptionStatus } from "../actor/subscription.ts";
import { askNode, type NodeAnswers, type NodeLink } from "../calls/node-messages.ts";
import type { StoreHost } from "../host/store-host.ts";
import type { NodeId, NodeRow } from "../ports/store.ts";
import type { ClusterReport, ReportedNode, ReportedStore } from "./cluster-report.ts";

/** Puts together what this node knows of the cluster and what the others say within `timeoutMs`. */
export async function reportCluster(
  nodeId: NodeId,
  hosts: readonly StoreHost[],
  link: NodeLink | undefined,
  timeoutMs: number,
  own: Pick<NodeAnswers, "report" | "subscriptions">,
): Promise<ClusterReport> {
  const rows = new Map<NodeId, NodeRow & { leaseAgeMs: number }>();
  for (const host of hosts) {
    for (const row of host.partitions.nodes()) {
      const leaseAgeMs = Math.max(0, Math.round((row.info?.leaseMs ?? host.leaseMs) - row.leaseLeftMs));
      const known = rows.get(row.id);
      const since = Math.min(row.since, known?.since ?? row.since);
      rows.set(row.id, { ...row, since, leaseAgeMs: Math.max(leaseAgeMs, known?.leaseAgeMs ?? 0) });
    }
  }
  const ask = async <T>(node: NodeId, what: "report" | "subscriptions"): Promise<T | undefined> => {
    if (node === nodeId) return own[what]() as T;
    if (link === undefined) return undefined;
    try {
      return (await askNode(link, node, what, { timeoutMs })) as T;
    } catch {
      return undefined; // away, busy, or of an older version: the report says that it did not answer
    }
  };
  const nodes = [...rows.values()].toSorted((a, b) => a.since - b.since || (a.id < b.id ? -1 : 1));
  return {
    nodeId,
    nodes: await Promise.all(
      nodes.map(async ({ id, info, since, leaseAgeMs }): Promise<ReportedNode> => {
        const [actors, subscriptions] = await Promise.all([
          ask<readonly ReportedActors[]>(id, "report"),
          ask<readonly SubscriptionStatus[]>(id, "subscriptions"),
        ]);
        return { id, address: info?.address, owns: info?.owns ?? true, since, leaseAgeMs, actors, subscriptions };
      }),
    ),
    stores: hosts.map((host): ReportedStore => ({
      store: host.key,
      types: host.types,
      partitions: host.partitions
        .map()
        .map(({ partition, owner, epoch }) => ({ partition, node: owner, epoch }))
        .toSorted((a, b) => a.partition - b.partition),
    })),
  };
}
