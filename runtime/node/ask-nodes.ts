import { askNode, type NodeAnswers, type NodeLink } from "../calls/node-messages.ts";
import type { StoreHost } from "../host/store-host.ts";
import type { NodeId } from "../ports/store.ts";

/** What one node answered. */
export interface NodeAnswer {
  readonly node: NodeId;
  /** `undefined`: it did not answer in time, has nothing to say to it, or is of an older version. */
  readonly answer: unknown;
}

/** Asks the application of each node, this one among them; none for longer than `timeoutMs`. */
export async function askNodes(
  nodeId: NodeId,
  hosts: readonly StoreHost[],
  link: NodeLink | undefined,
  { what, input, timeoutMs }: { readonly what: string; readonly input: unknown; readonly timeoutMs: number },
  own: Pick<NodeAnswers, "ask">,
): Promise<readonly NodeAnswer[]> {
  const nodes = new Set([nodeId, ...hosts.flatMap((host) => host.partitions.nodes().map(({ id }) => id))]);
  const ask = async (node: NodeId): Promise<unknown> => {
    if (node === nodeId) return await own.ask(what, input);
    return link === undefined ? undefined : await askNode(link, node, "ask", { store: what, input, timeoutMs });
  };
  return await Promise.all([...nodes].map(async (node) => ({ node, answer: await ask(node).catch(() => undefined) })));
}
