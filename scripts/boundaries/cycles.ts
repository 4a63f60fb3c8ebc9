import type { Edge, Graph } from "./graph.ts";

/**
 * Import cycles of the graph, each as the edges to follow, the shortest way round from its first module. Every module
 * that is part of a cycle is on one of them. An empty answer means that modules can be read from the bottom up.
 */
export function findCycles({ modules, edges }: Graph): Edge[][] {
  const next = new Map<string, Edge[]>(modules.map((path) => [path, []]));
  for (const edge of edges) if (edge.target.kind === "file") next.get(edge.from)?.push(edge);
  const done = new Set<string>();
  const cycles: Edge[][] = [];
  for (const start of modules) {
    if (done.has(start)) continue;
    const way = shortestWayRound(start, next);
    if (!way) continue;
    for (const edge of way) done.add(edge.from);
    cycles.push(way);
  }
  return cycles;
}

/** Breadth first from `start` until an edge leads back to it. */
function shortestWayRound(start: string, next: ReadonlyMap<string, readonly Edge[]>): Edge[] | undefined {
  const cameBy = new Map<string, Edge>();
  const queue = [start];
  for (const at of queue) {
    for (const edge of next.get(at) ?? []) {
      const to = targetOf(edge);
      if (to === start) return [...wayTo(at, start, cameBy), edge];
      if (cameBy.has(to)) continue;
      cameBy.set(to, edge);
      queue.push(to);
    }
  }
  return undefined;
}

function wayTo(end: string, start: string, cameBy: ReadonlyMap<string, Edge>): Edge[] {
  const way: Edge[] = [];
  for (let at = end; at !== start;) {
    const edge = cameBy.get(at);
    if (!edge) break;
    way.unshift(edge);
    at = edge.from;
  }
  return way;
}

function targetOf(edge: Edge): string {
  return edge.target.kind === "file" ? edge.target.path : "";
}
