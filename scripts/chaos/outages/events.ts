/** How the events of a run look on the wire, whichever broker carries them. */
import type { CloudEvent } from "../../e2e/cloud-event.ts";
import type { Delivered } from "./history.ts";

/** The type of what is posted to the gateway; its topic, subject, routing key and stream follow from it. */
export const POSTED_TYPE = "chaos.posted";
const KAFKA_TOPIC = "chaos.events.v1";
export const REDIS_STREAM = "chaos";
/** Where the route takes what is posted, and where the system's own events are: one queue is bound to both. */
export const POSTED_EXCHANGE = "chaos";
export const OWN_EXCHANGE = "events";

/** The route that takes every posted event to all brokers. */
export const ROUTE = {
  match: { type: POSTED_TYPE },
  to: [
    { sink: "kafka", topic: KAFKA_TOPIC },
    { sink: "rabbitmq", exchange: POSTED_EXCHANGE },
    { sink: "nats", subject: POSTED_TYPE },
    { sink: "redis", stream: REDIS_STREAM },
  ],
};

/** What a message is in a run; `undefined` for events that nobody asked for. */
export function readEvent({ id, type, subject, data }: CloudEvent, at?: number): Delivered | undefined {
  const time = at === undefined ? {} : { at };
  switch (type) {
    case POSTED_TYPE:
      return { stream: "events", key: subject, n: Number(data["n"]), id, ...time };
    case "order.placed.v1":
      return { stream: "orders", key: subject, n: 1, id, ...time };
    case "stock.refilled.v1":
      return { stream: "refills", key: subject, n: Number(data["quantity"]), id, ...time };
    default:
      return undefined;
  }
}
