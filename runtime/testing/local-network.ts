import type { Envelope } from "../envelope.ts";
import { TroupeError } from "../errors.ts";
import type { Transport, WireReply } from "../ports/transport.ts";

/**
 * A network inside one process, for tests of several nodes: each node gets a `transport()` of its own. As over a wire,
 * nothing but JSON gets across.
 *
 * @example
 * ```ts
 * const network = new LocalNetwork();
 * const store = memory(); // one store, two nodes: whoever comes first holds the partitions
 * const first = await createTroupe({ actors: [Counter], stores: { default: store }, transport: network.transport() });
 * const second = await createTroupe({ actors: [Counter], stores: { default: store }, transport: network.transport() });
 * await second.ref(Counter, "visits").add({ by: 1 }); // runs on the first node
 * await Promise.all([second.stop(), first.stop()]);
 * ```
 */
export class LocalNetwork {
  readonly #nodes = new Map<string, (envelope: Envelope) => Promise<WireReply>>();
  readonly #silent = new Set<string>();
  /** Calls that went from one node to another, as in `node_1 counter/visits add`. */
  readonly calls: string[] = [];

  /** A transport for one node. Closing it takes the node off the network. */
  transport(): Transport {
    let served: string | undefined;
    return {
      serve: async (node, handle) => {
        served = node;
        this.#nodes.set(node, handle);
      },
      call: (node, envelope) => this.#call(node, envelope),
      close: async () => {
        if (served !== undefined) this.#nodes.delete(served);
      },
    };
  }

  /** From now on the node swallows what is sent to it: its callers hear nothing, as from a machine that hangs. */
  silence(node: string): void {
    this.#silent.add(node);
  }

  async #call(node: string, envelope: Envelope): Promise<WireReply> {
    this.calls.push(`${node} ${envelope.type}/${envelope.key} ${envelope.message}`);
    if (this.#silent.has(node)) return await new Promise<never>(() => undefined);
    const handle = this.#nodes.get(node);
    if (handle === undefined) throw new TroupeError("unavailable", `Cannot call ${node} as nobody serves it`);
    return JSON.parse(JSON.stringify(await handle(JSON.parse(JSON.stringify(envelope))))) as WireReply;
  }
}
