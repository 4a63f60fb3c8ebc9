import type { Envelope } from "../envelope.ts";
import { TroupeError } from "../errors.ts";
import type { Transport, WireReply } from "../ports/transport.ts";

/** A network in one process: several nodes that reach each other by name, with nothing but JSON getting across. */
export class LocalNetwork {
  readonly #nodes = new Map<string, (envelope: Envelope) => Promise<WireReply>>();
  /** What was sent so far: the receiving node and the envelope. */
  readonly sent: { readonly node: string; readonly envelope: Envelope }[] = [];
  /** Names that swallow what is sent to them, as a node that hangs does. */
  readonly silent = new Set<string>();

  transport(): Transport {
    const mine: string[] = [];
    return {
      serve: async (node, handle) => {
        this.#nodes.set(node, handle);
        mine.push(node);
      },
      call: async (node, envelope) => {
        this.sent.push({ node, envelope });
        if (this.silent.has(node)) return new Promise(() => undefined);
        const handle = this.#nodes.get(node);
        if (handle === undefined) throw new TroupeError("unavailable", `Cannot call ${node} as nobody serves it`);
        return acrossWire(await handle(acrossWire(envelope)));
      },
      close: async () => {
        for (const node of mine) this.#nodes.delete(node);
      },
    };
  }
}

function acrossWire<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}
