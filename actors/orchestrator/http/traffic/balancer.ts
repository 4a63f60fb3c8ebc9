import type { RouteTable } from "../../service/messages.ts";

export type Replica = RouteTable["replicas"][number];

/** A replica that a request is with. */
export interface Lease {
  readonly replica: Replica;
  /** The request is over. `failed`: the replica could not be reached. */
  end(failed?: boolean): void;
}

/** So many failures to reach a replica in a row, and it gets no requests for a while: nobody waits for the next check. */
const EJECT_AFTER = 2;
const EJECT_MS = 3_000;

/**
 * Which replica gets the next request: the one with the fewest under way here, by turns where several have as few. With a
 * canary its share of requests goes to the new revision. A replica that cannot be reached sits out for a moment, unless
 * there is no other.
 */
export class Balancer {
  readonly #open = new Map<string, number>();
  readonly #failures = new Map<string, { count: number; until: number }>();
  readonly #ended: (containerId: string, open: number) => void;
  readonly #nowMs: () => number;
  #turn = 0;

  /** `ended` hears how many requests a container has left each time that one of them ends. */
  constructor(ended: (containerId: string, open: number) => void, nowMs: () => number = Date.now) {
    this.#ended = ended;
    this.#nowMs = nowMs;
  }

  /** How many requests are with a container. */
  open(containerId: string): number {
    return this.#open.get(containerId) ?? 0;
  }

  /** Every container that has requests. */
  get busy(): IterableIterator<[containerId: string, open: number]> {
    return this.#open.entries();
  }

  get total(): number {
    let total = 0;
    for (const open of this.#open.values()) total += open;
    return total;
  }

  /** Takes a place at a replica; `undefined` when there is none but those in `not`. */
  take(table: RouteTable, not: ReadonlySet<string>, random: () => number = Math.random): Lease | undefined {
    const all = table.replicas.filter(({ containerId }) => !not.has(containerId));
    const fresh = all.filter(({ revision }) => revision === table.revision);
    const rest = all.filter(({ revision }) => revision !== table.revision);
    const pool =
      table.share === null || fresh.length === 0 || rest.length === 0 ? all : random() < table.share ? fresh : rest;
    const reachable = pool.filter(({ containerId }) => !this.#isOut(containerId));
    const replica = this.#least(reachable.length > 0 ? reachable : pool);
    if (replica === undefined) return undefined;
    const { containerId } = replica;
    this.#open.set(containerId, this.open(containerId) + 1);
    let over = false;
    return {
      replica,
      end: (failed = false) => {
        if (over) return;
        over = true;
        this.#count(containerId, failed);
        const left = this.open(containerId) - 1;
        if (left > 0) this.#open.set(containerId, left);
        else this.#open.delete(containerId);
        this.#ended(containerId, left);
      },
    };
  }

  #least(pool: readonly Replica[]): Replica | undefined {
    const offset = this.#turn++;
    let best: Replica | undefined;
    let fewest = Number.POSITIVE_INFINITY;
    for (let i = 0; i < pool.length; i++) {
      const candidate = pool[(i + offset) % pool.length] as Replica;
      const open = this.open(candidate.containerId);
      if (open < fewest) [best, fewest] = [candidate, open];
    }
    return best;
  }

  #isOut(containerId: string): boolean {
    const failures = this.#failures.get(containerId);
    return failures !== undefined && failures.count >= EJECT_AFTER && failures.until > this.#nowMs();
  }

  #count(containerId: string, failed: boolean): void {
    if (!failed) return void this.#failures.delete(containerId);
    const count = (this.#failures.get(containerId)?.count ?? 0) + 1;
    this.#failures.set(containerId, { count, until: this.#nowMs() + EJECT_MS });
    if (this.#failures.size > 1_000) this.#failures.clear();
  }
}
