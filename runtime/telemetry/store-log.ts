import type { Log } from "../base/log.ts";
import type { Envelope } from "../ports/envelope.ts";
import type { ActorId, DeadLetter, TimerRow } from "../ports/store.ts";

/** In what a dead letter is of, as JSON. */
const TRACE_OF_RECORD = /"traceparent":"00-([0-9a-f]{32})-/;

/** What a node logs of one store, its actors and its sinks: every event by its name. */
export class StoreLog {
  readonly #log: Log;
  readonly #store: string;

  /** @param store the store's name. */
  constructor(log: Log, store: string) {
    this.#log = log;
    this.#store = store;
  }

  turnFailed({ type, key, message, attempt, traceparent }: Envelope, error: unknown): void {
    const traceId = traceparent?.slice(3, 35);
    this.#log("error", "turn:failed", { actor: `${type}/${key}`, message, attempt, traceId, error: describe(error) });
  }

  /** Code of a turn that is over still uses its context. */
  lateUse(actor: string, message: string, what: string): void {
    this.#log("error", "turn:late", { actor, message, what });
  }

  hookFailed(actor: string, hook: "onActivate" | "onPassivate", error: unknown): void {
    const event = hook === "onActivate" ? "actor:activate:failed" : "actor:passivate:failed";
    this.#log("error", event, { actor, error: describe(error) });
  }

  actorPaused({ type, key }: ActorId, error: Error): void {
    this.#log("warn", "actor:paused", { actor: `${type}/${key}`, reason: error.message });
  }

  actorResumed({ type, key }: ActorId): void {
    this.#log("info", "actor:resumed", { actor: `${type}/${key}` });
  }

  ticksSkipped({ type, key, name, dueAt }: TimerRow, until: number): void {
    this.#log("error", "timer:overrun", { actor: `${type}/${key}`, timer: name, from: dueAt, until });
  }

  commitFailed(error: unknown, turns: number): void {
    this.#log("warn", "commit:failed", { store: this.#store, turns, error: describe(error) });
  }

  nodesChanged(nodes: readonly unknown[]): void {
    this.#log("info", "cluster:changed", { store: this.#store, nodes: nodes.length });
  }

  /** @param held how many partitions the node holds now. */
  acquired(count: number, held: number): void {
    this.#log("debug", "partition:acquired", { store: this.#store, count, held });
  }

  released(count: number, held: number): void {
    this.#log("debug", "partition:released", { store: this.#store, count, held });
  }

  lost(count: number, of: number): void {
    this.#log("warn", "partition:lost", { store: this.#store, count, of });
  }

  letterKept({ id, reason, detail, target, attempts, record }: DeadLetter): void {
    const traceId = TRACE_OF_RECORD.exec(record)?.[1];
    const fields = { store: this.#store, letter: id, reason, detail, target, attempts, traceId };
    this.#log("warn", "dead-letter:kept", fields);
  }

  sinkFailed(sink: string, error: unknown): void {
    this.#log("warn", "sink:failed", { store: this.#store, sink, error: describe(error) });
  }

  /** No node has had the sink for days: what it has not published is kept no longer. */
  sinkForgotten(sink: string): void {
    this.#log("warn", "sink:forgotten", { store: this.#store, sink });
  }

  sinkRecovered(sink: string): void {
    this.#log("info", "sink:recovered", { store: this.#store, sink });
  }

  /** @param what was tried, as "reading timers". It is tried again. */
  failed(what: string, error: unknown): void {
    this.#log("warn", "store:failed", { store: this.#store, what, error: describe(error) });
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
