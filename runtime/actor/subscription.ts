import type { GenericSchema, InferOutput } from "valibot";
import type { CloudEvent } from "../message/cloud-event.ts";
import { parseInput } from "../message/validate.ts";

/** What becomes of an event of one type. `Message` is the command's name. */
export interface Subscription<Message extends string = string> {
  /**
   * The types of the actors that may send it: its `source` must be `/<type>/<subject>`, as that of our own events is. An event
   * from elsewhere is passed over and logged. Without it an event is taken from anybody who can write to the broker.
   */
  readonly from?: string | readonly string[];
  /** The key of the actor it is for; `undefined` when it is for nobody. A throw makes the event a dead letter. */
  to(event: CloudEvent): string | undefined;
  /** The command that is sent, with the event's source and id as message id. */
  readonly send: Message;
  /** The input of the command. Default: the event's `data`. A throw makes the event a dead letter. */
  with?(event: CloudEvent): unknown;
}

/** How the subscriptions of an actor type stand, seen from this node. */
export interface SubscriptionStatus {
  readonly actor: string;
  /** The name of the source. */
  readonly source: string;
  /** Whether this node consumes: one of them does. */
  readonly here: boolean;
  /** Events handed over and not yet acknowledged. */
  readonly inFlight: number;
  /** Events at the broker that were not acknowledged, a few seconds ago; `undefined` where that is not known. */
  readonly lag: number | undefined;
  /** Messages that carried nothing to be handled (tombstones), and were passed over, since this node began. */
  readonly skipped: number;
  /** Why an event could not be handled, or the broker not be asked, while that lasts. */
  readonly failing: string | undefined;
}

/**
 * A subscription to events whose data has a known shape: an event that does not fit becomes a dead letter.
 *
 * @example
 * ```ts
 * const OrderPlaced = v.object({ customerId: v.string(), total: v.number() });
 * const Spender = actor("spender", {
 *   state: v.object({ spent: v.number() }),
 *   initial: () => ({ spent: 0 }),
 *   messages: ({ command }) => ({
 *     note: command({ in: OrderPlaced }, (c, { total }) => void (c.state.spent += total)),
 *   }),
 *   subscribe: {
 *     "order.placed.v1": subscription(OrderPlaced, { to: ({ data }) => data.customerId, send: "note" }),
 *   },
 * });
 * ```
 */
export function subscription<DataSchema extends GenericSchema, const Message extends string>(
  data: DataSchema,
  spec: {
    readonly from?: string | readonly string[];
    readonly to: (event: CloudEvent<InferOutput<DataSchema>>) => string | undefined;
    readonly send: Message;
    readonly with?: (event: CloudEvent<InferOutput<DataSchema>>) => unknown;
  },
): Subscription<Message> {
  const typed = (event: CloudEvent): CloudEvent<InferOutput<DataSchema>> => ({
    ...event,
    data: parseInput(data, event.data, event.type, event.source) as InferOutput<DataSchema>,
  });
  return {
    send: spec.send,
    ...(spec.from !== undefined && { from: spec.from }),
    to: (event) => spec.to(typed(event)),
    with: (event) => (spec.with === undefined ? typed(event).data : spec.with(typed(event))),
  };
}
