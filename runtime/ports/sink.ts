import type { DeadLetterReason, OutboxKind, OutboxRecord } from "./store.ts";

/**
 * The sink port: a place outbox records go to. Implemented by `infra/nats`, `infra/kafka`, `infra/temporal`;
 * `runtime/testing/sink-conformance.ts` is run by each broker sink.
 *
 * The relay guarantees: records of one `target` arrive in sequence order; a record is handed over again until it was
 * acknowledged or refused; never two overlapping `publish` calls with a `target` in common. Within a store no two sinks have the same name.
 *
 * @example
 * ```ts
 * const printer: Sink = {
 *   name: "printer",
 *   accepts: "event",
 *   lane: { kind: "batch", maxBatch: 100 },
 *   publish: async (records) =>
 *     records.map((record) => {
 *       console.log(record.name, record.body);
 *       return { kind: "acked" };
 *     }),
 *   check: () => Promise.resolve(),
 *   close: () => Promise.resolve(),
 * };
 * ```
 */
export interface Sink {
  /** Short and stable: cursors are stored under it (`nats`, `kafka`, `temporal`). */
  readonly name: string;
  readonly accepts: OutboxKind;
  /** The names of the stores whose records it takes. Default: all. */
  readonly stores?: readonly string[];
  /**
   * `batch`: one call at a time with up to `maxBatch` records. `keyed`: up to `maxInFlight` calls with one record
   * each, one at a time per `target`. `partitions`: one call at a time per partition, with up to `maxBatch` of its records.
   */
  readonly lane: SinkLane;
  /**
   * Whether a record is for this sink. What is not passes by: it counts as published here, and says nothing of whether the
   * other end is there. Must answer the same whenever it is asked. @default every record of the kind
   */
  takes?(record: OutboxRecord): boolean;
  /**
   * Publishes in the given order. Resolves when every record is durable at the other end, with one result per record,
   * in the order given. A throw means that the whole batch is tried again after a pause: repeats carry the same id.
   * `attempt` counts the tries of this batch, from 1.
   */
  publish(records: readonly OutboxRecord[], attempt: number): Promise<readonly PublishResult[]>;
  /** This node has begun or ceased to carry a partition of a store. Between the two the sink is told all that happens there. */
  moved?(partition: number): void;
  /** Resolves when the other end answers; used by `/ready`. */
  check(): Promise<void>;
  close(): Promise<void>;
}

/**
 * How the relay calls a sink: `batch`, one call at a time with many records; `keyed`, many calls at once with one record
 * each, one at a time per `target`.
 */
export type SinkLane =
  | { readonly kind: "batch"; readonly maxBatch: number }
  | { readonly kind: "keyed"; readonly maxInFlight: number }
  | { readonly kind: "partitions"; readonly maxBatch: number };

/**
 * What became of one record. `acked`: it is durable at the other end.
 *
 * `refused`: it will never be taken (too large, unroutable, forbidden). It becomes a dead letter and the lane goes on;
 * `attempts` is what the dead letter says, where it is not the tries of the batch, `reason` likewise (default `broker`, for sends
 * `poison`).
 *
 * `held`: not now, and no fault of the sink. Its target is tried again after a pause, the others go on. A batch that holds a
 * record holds what stands behind it of the same target.
 */
export type PublishResult =
  | { readonly kind: "acked" }
  | {
      readonly kind: "refused";
      readonly detail: string;
      readonly attempts?: number;
      readonly reason?: DeadLetterReason;
    }
  | { readonly kind: "held" };
