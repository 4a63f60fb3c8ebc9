import type { Envelope } from "../envelope.ts";
import { TroupeError } from "../errors.ts";
import type { Transport, WireReply } from "../ports/transport.ts";

/** A network in one process: nodes by name, and names that swallow what is sent to them. */
export interface LocalNetwork {
  /** A transport for one node. */
  transport(): Transport;
  /** Nodes that never answer. */
  readonly silent: Set<string>;
  /** Every call so far, as `node message`. */
  readonly calls: string[];
}

/** Nothing but JSON gets across, as over a wire. */
export function localNetwork(): LocalNetwork {
  const nodes = new Map<string, (envelope: Envelope) => Promise<WireReply>>();
  const silent = new Set<string>();
  const calls: string[] = [];
  const transport = (): Transport => {
    let served: string | undefined;
    return {
      serve: async (node, handle) => {
        served = node;
        nodes.set(node, handle);
      },
      call: async (node, envelope) => {
        calls.push(`${node} ${envelope.message}`);
        const handle = nodes.get(node);
        if (silent.has(node)) return new Promise(() => undefined);
        if (handle === undefined)
          throw new TroupeError("unavailable", `Cannot reach the node ${node}: nobody serves it`);
        return JSON.parse(JSON.stringify(await handle(JSON.parse(JSON.stringify(envelope)) as Envelope))) as WireReply;
      },
      close: async () => {
        if (served !== undefined) nodes.delete(served);
      },
    };
  };
  return { transport, silent, calls };
}
