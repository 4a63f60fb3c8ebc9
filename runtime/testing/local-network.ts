import { TroupeError } from "../message/errors.ts";
import type { Envelope } from "../ports/envelope.ts";
import type { Transport, WireReply } from "../ports/transport.ts";

/**
 * A network inside one process, for tests of several nodes: each gets a transport of its own. As over a wire, nothing
 * but JSON gets across.
 *
 * @example
 * ```ts
 * const { transport, calls } = localNetwork();
 * const stores = { default: memory() }; // one store, two nodes: whoever comes first holds the partitions
 * const first = await createTroupe({ actors: [Counter], stores, transport: transport(), nodeId: "first" });
 * const second = await createTroupe({ actors: [Counter], stores, transport: transport(), nodeId: "second" });
 * await second.ref(Counter, "visits").add({ by: 1 });
 * console.log(calls); // ["first add"]: that is where it ran
 * await Promise.all([second.stop(), first.stop()]);
 * ```
 */
export function localNetwork(): LocalNetwork {
  return new LocalNetwork();
}

/** Made by {@link localNetwork}. */
export class LocalNetwork {
  readonly #nodes = new Map<string, (envelope: Envelope) => Promise<WireReply>>();
  /** Nodes that swallow what is sent to them, as a machine that hangs does. Add names, or take them out. */
  readonly silent = new Set<string>();
  /** What was sent so far, the oldest first. */
  readonly sent: { readonly node: string; readonly envelope: Envelope }[] = [];
  /** The same in short: the receiving node and the message, as in `first add`. */
  readonly calls: string[] = [];

  /** A transport for one node. Closing it takes the node off the network. */
  readonly transport = (): Transport => {
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
  };

  async #call(node: string, envelope: Envelope): Promise<WireReply> {
    this.sent.push({ node, envelope });
    this.calls.push(`${node} ${envelope.message}`);
    if (this.silent.has(node)) return await new Promise<never>(() => undefined);
    const handle = this.#nodes.get(node);
    if (handle === undefined) throw new TroupeError("unavailable", `Cannot call ${node} as nobody serves it`);
    return acrossWire(await handle(acrossWire(envelope)));
  }
}

function acrossWire<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
