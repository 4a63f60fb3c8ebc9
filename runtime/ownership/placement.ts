import type { NodeId, NodeRow } from "../ports/store.ts";

/**
 * The nodes that partitions may be placed on: those that take partitions and know every actor type that any of them
 * knows, since a partition holds actors of all types. Where none knows all, those that know most. In order of their id.
 */
export function candidates(nodes: readonly NodeRow[]): NodeId[] {
  const owning = nodes.filter((node) => node.info?.owns ?? true);
  const types = new Set(owning.flatMap((node) => node.info?.types ?? []));
  // A node of an older version says nothing: it is taken to know all.
  const known = (node: NodeRow): number => node.info?.types.length ?? types.size;
  const most = Math.max(0, ...owning.map(known));
  return owning
    .filter((node) => known(node) === most)
    .map((node) => node.id)
    .toSorted();
}

/**
 * The node that each partition belongs on. `owners` says who holds it now, by partition; `undefined`: nobody.
 *
 * Even: no node gets two more than another. Stable: what a node holds stays with it up to its share, so that no more
 * moves than evenness asks for. Every node that sees the same rows comes to the same answer, so nobody has to decide
 * for the others; where two see different rows for a moment, the store lets only one of them take a partition.
 *
 * With no node at all every partition is placed on `undefined`.
 */
export function place(
  nodes: readonly NodeId[],
  owners: readonly (NodeId | undefined)[],
): readonly (NodeId | undefined)[] {
  const room = shares(nodes, owners);
  const placed = owners.map((owner) => {
    const left = owner === undefined ? 0 : (room.get(owner) ?? 0);
    if (owner === undefined || left === 0) return undefined;
    room.set(owner, left - 1);
    return owner;
  });
  return placed.map((node) => {
    if (node !== undefined) return node;
    const [roomiest, left] = [...room].reduce((a, b) => (b[1] > a[1] ? b : a), ["", 0]);
    if (left === 0) return undefined;
    room.set(roomiest, left - 1);
    return roomiest;
  });
}

/** How many partitions each node is due. The larger shares go to those who hold most already: the fewest moves. */
function shares(nodes: readonly NodeId[], owners: readonly (NodeId | undefined)[]): Map<NodeId, number> {
  const held = new Map<NodeId, number>(nodes.toSorted().map((node) => [node, 0]));
  for (const owner of owners) {
    const count = owner === undefined ? undefined : held.get(owner);
    if (owner !== undefined && count !== undefined) held.set(owner, count + 1);
  }
  const share = Math.floor(owners.length / Math.max(1, nodes.length));
  const larger = owners.length % Math.max(1, nodes.length);
  const byHeld = [...held].toSorted(([, a], [, b]) => b - a); // stable: ties stay in order of the id
  return new Map(byHeld.map(([node], i) => [node, share + (i < larger ? 1 : 0)]));
}
