/**
 * The stateless workers of a node.
 *
 * Owns: their copies here, and which other nodes were found without a free one. Does not own: the way to other nodes, and the
 * caller's side of a call (`Router`).
 */
import type { ReportedActors } from "../activation/activation-directory.ts";
import type { AnyWorkerType } from "../actor/any-actor.ts";
import { NO_KEY } from "../actor/ref.ts";
import type { Clock } from "../base/clock.ts";
import { Deadlines } from "../base/deadlines.ts";
import type { Log } from "../base/log.ts";
import { InvalidInputError, TroupeError } from "../message/errors.ts";
import type { Ownership } from "../ownership/ownership.ts";
import type { Envelope } from "../ports/envelope.ts";
import type { NodeId } from "../ports/store.ts";
import type { NodeMetrics } from "../telemetry/node-metrics.ts";
import type { NodeSpans } from "../telemetry/node-spans.ts";
import type { WorkParts } from "./work.ts";
import { WorkerPool } from "./worker-pool.ts";

/** Another node with copies of a worker, and what knows whether it lives. */
export interface WorkerNode {
  readonly node: NodeId;
  readonly ownership: Ownership;
}

/** What the workers of a node need from it. */
export interface WorkersParts extends WorkParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: NodeMetrics | undefined;
  readonly spans: NodeSpans | undefined;
  /** Other nodes that have a worker of this name. */
  others(type: string): readonly WorkerNode[];
}

/** A node that had no free copy is not asked again before this long. */
const PASS_OVER_MS = 100;

export class Workers {
  readonly #parts: WorkersParts;
  readonly #pools: ReadonlyMap<string, WorkerPool>;
  readonly #limits: Deadlines;
  /** Until when a node is passed over (monotonic), by worker and node. */
  readonly #full = new Map<string, number>();
  #turn = 0;

  constructor(types: readonly AnyWorkerType[], parts: WorkersParts) {
    this.#parts = parts;
    this.#limits = new Deadlines(parts.clock);
    const { clock, metrics, spans, log } = parts;
    const failed = ({ type, message, attempt, traceparent }: Envelope, error: unknown): void => {
      const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      log("error", "turn:failed", { actor: type, message, attempt, traceId: traceparent?.slice(3, 35), error: text });
    };
    const { ref } = parts;
    const own = { clock, metrics, spans, failed, limits: this.#limits, ref };
    this.#pools = new Map(types.map((type) => [type.type, new WorkerPool(type, own)]));
  }

  /** The names of the workers, sorted. */
  get types(): readonly string[] {
    return [...this.#pools.keys()].toSorted();
  }

  has(type: string): boolean {
    return this.#pools.has(type);
  }

  /**
   * The copies here of the worker that a call is for.
   * @throws {TroupeError} `unknown_message`; `call_cycle`: with all copies taken it would wait for itself. {@link InvalidInputError}
   * for a key. @throws {TypeError} the call has an id.
   */
  check({ type, key, message, id, callers }: Envelope): WorkerPool {
    const pool = this.#pools.get(type) as WorkerPool;
    if (!Object.hasOwn(pool.type.messages, message)) {
      throw new TroupeError("unknown_message", `Cannot find the message "${message}" of ${type}`);
    }
    if (key !== NO_KEY) {
      throw new InvalidInputError(`a call to ${type}`, [
        {
          path: "/key",
          message: "Invalid key",
          expected: `"${NO_KEY}": a stateless worker has none`,
          received: `"${key}"`,
        },
      ]);
    }
    if (id !== undefined) {
      throw new TypeError(
        `Cannot call ${message} of ${type} with the id "${id}" as a stateless worker keeps no replies: give it to the actor that is asked`,
      );
    }
    const address = `${type}/${NO_KEY}`;
    if (callers.includes(address)) {
      const way = [...callers, address].join(" → ");
      throw new TroupeError("call_cycle", `Cannot call ${type} as a run of it waits for this very call: ${way}`);
    }
    return pool;
  }

  /** Another node that may have a free copy, each in its turn; `undefined`: none is known. */
  elsewhere(type: string): WorkerNode | undefined {
    const others = this.#parts.others(type);
    const now = this.#parts.clock.monotonic();
    for (let i = 0; i < others.length; i++) {
      const other = others[this.#turn++ % others.length] as WorkerNode;
      if ((this.#full.get(`${type} ${other.node}`) ?? 0) <= now) return other;
    }
    return undefined;
  }

  /** A node had no free copy. */
  passOver(type: string, node: NodeId): void {
    const now = this.#parts.clock.monotonic();
    for (const [known, until] of this.#full) if (until <= now) this.#full.delete(known);
    this.#full.set(`${type} ${node}`, now + PASS_OVER_MS);
  }

  /** Runs under way, and calls that wait, by worker. */
  report(): ReportedActors[] {
    return [...this.#pools].map(([type, { running, waiting }]) => ({ type, inMemory: running, waiting }));
  }

  /** Lets what is under way come to its end until `deadline`. */
  async stop(deadline: Promise<unknown>): Promise<void> {
    await Promise.all([...this.#pools.values()].map((pool) => pool.stop(deadline)));
    this.#limits.stop();
  }
}
