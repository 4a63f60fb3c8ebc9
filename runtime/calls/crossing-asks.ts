/**
 * Finds rings of asks that run over several nodes: x waits for y, y for z, and z for x, each in a turn of its own.
 *
 * Owns: nothing. An actor that is asked while its turn waits (`Activation`) wants to know whether that turn waits, through the
 * turns of others, for the very actor that asks. Each node follows the way through the actors it has, and asks the next node
 * for the rest. Of the asks of a ring the one that was made last sees all the others: one look is enough.
 */
import type { ActorRegistry } from "./actor-registry.ts";
import { askNode, type NodeLink, type WayAhead } from "./node-messages.ts";

/** Longer rings are left to their deadlines. */
const MAX_LENGTH = 64;
const TIMEOUT_MS = 2_000;

export class CrossingAsks {
  readonly #types: ActorRegistry;
  readonly #link: NodeLink | undefined;
  readonly #nodeId: string;

  constructor(types: ActorRegistry, link: NodeLink | undefined, nodeId: string) {
    this.#types = types;
    this.#link = link;
    this.#nodeId = nodeId;
  }

  /**
   * The actors on the way from `waitingFor`, whom a turn waits for, up to one of `callers`; `undefined`: there is none, or it
   * could not be followed to its end.
   */
  way(waitingFor: Iterable<string>, callers: readonly string[]): Promise<readonly string[] | undefined> {
    return this.#follow(
      [...waitingFor].map((address) => [address]),
      new Set(),
      callers,
    );
  }

  /** The rest of a way, as another node asks for it: to actors that it believes to be here. */
  rest({ from, callers }: WayAhead): Promise<readonly string[] | undefined> {
    return this.#follow(from, new Set(from.map((way) => way.at(-1) ?? "")), callers);
  }

  async #follow(
    from: readonly (readonly string[])[],
    here: ReadonlySet<string>,
    callers: readonly string[],
  ): Promise<readonly string[] | undefined> {
    const goal = new Set(callers);
    const elsewhere = new Map<string, (readonly string[])[]>();
    const ways = [...from];
    for (let way = ways.shift(); way !== undefined; way = ways.shift()) {
      const address = way.at(-1) ?? "";
      if (goal.has(address)) return way;
      if (way.length > MAX_LENGTH || way.indexOf(address) < way.length - 1) continue; // a ring of others
      const { owner, waitingFor } = this.#look(address);
      if (owner !== undefined && !here.has(address)) elsewhere.set(owner, [...(elsewhere.get(owner) ?? []), way]);
      else for (const next of waitingFor) ways.push([...way, next]);
    }
    for (const [node, rest] of elsewhere) {
      const found = await this.#askNode(node, { from: rest, callers });
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Which other node has an actor, or whom it waits for here. */
  #look(address: string): { readonly owner: string | undefined; readonly waitingFor: Iterable<string> } {
    const slash = address.indexOf("/");
    const [type, key] = [address.slice(0, slash), address.slice(slash + 1)];
    const host = this.#types.findHost(type);
    const owner = host?.partitions.ownerOf(host.partitions.of(type, key));
    if (owner !== undefined && owner !== this.#nodeId) return { owner, waitingFor: [] };
    return { owner: undefined, waitingFor: host?.dispatcher.resident(type, key)?.waitingFor ?? [] };
  }

  async #askNode(node: string, input: WayAhead): Promise<readonly string[] | undefined> {
    if (this.#link === undefined) return undefined;
    try {
      const way = await askNode(this.#link, node, "waits", { input, timeoutMs: TIMEOUT_MS });
      return way as readonly string[] | undefined;
    } catch {
      return undefined; // a node that is gone waits for nobody; otherwise the deadline does what it can
    }
  }
}
