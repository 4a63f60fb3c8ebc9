/** Rows of the store port about what leaves an actor after the commit, and how far it has got. */

import type { ActorId } from "./actor-rows.ts";

/**
 * `event`: for the brokers. `send`: for another actor. `workflow`: for Temporal. `broadcast`: for a topic's followers.
 * `routed`: for the place that the record itself names.
 */
export type OutboxKind = "event" | "send" | "workflow" | "broadcast" | "routed";

/** One row of the outbox: something that leaves the actor after the commit. */
export interface OutboxRecord {
  readonly partition: number;
  /** Contiguous per partition, from 1. */
  readonly seq: number;
  readonly kind: OutboxKind;
  /** Unique for ever; what consumers recognise a repeat by. For events the CloudEvents id (`evt_…`). */
  readonly id: string;
  /** Event type; message name; `start`, `signal` or `signalWithStart`; type of the broadcast. */
  readonly name: string;
  /** The actor that emitted it. */
  readonly actor: ActorId;
  /** What the order is kept by: the actor's key for events, the target's address for sends, the workflow id, the topic; what the actor said for routed records. */
  readonly target: string;
  /** JSON: the data of the event, broadcast or routed record, the message's input, the workflow request ({@link WorkflowRequest}). */
  readonly body: string;
  readonly at: number;
  readonly traceparent: string | undefined;
}

/** The body of a `workflow` record, parsed. `id` is the record's `target`. */
export interface WorkflowRequest {
  readonly start?: {
    readonly type: string;
    readonly taskQueue: string;
    readonly args: readonly unknown[];
    readonly searchAttributes?: Readonly<Record<string, string>>;
    readonly memo?: Readonly<Record<string, unknown>>;
  };
  readonly signal?: { readonly name: string; readonly args: readonly unknown[] };
}

/** A sink, and what it accepts. */
export interface KnownSink {
  readonly name: string;
  readonly kind: OutboxKind;
}

/** How far a sink has got in a partition: everything up to `seq` was acknowledged. */
export interface CursorRow {
  readonly sink: string;
  readonly partition: number;
  readonly seq: number;
}
