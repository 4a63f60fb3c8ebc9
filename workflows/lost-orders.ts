import { Delivery } from "#actors/shop/delivery/delivery.ts";
import { Order } from "#actors/shop/order/order.ts";
import type { OutboxRecord, Troupe } from "#runtime";
import { fulfilOrderStart, type FulfilOrder } from "./fulfil-order/messages.ts";
import { fulfilOrderSignals } from "./fulfil-order/names.ts";
import type { Rule } from "./lost-runs.ts";

/**
 * How long the steps of a saga are known by their message ids, with room to spare: the stores keep replies for 24 hours. An order
 * that is older could be reserved or paid twice by a run that starts anew.
 */
const SAFE_MS = 20 * 3_600_000;

/** What the courier has said of a parcel, while nobody listened. */
const SAID: Readonly<Record<string, readonly string[]>> = {
  dispatched: [fulfilOrderSignals.dispatched],
  in_transit: [fulfilOrderSignals.dispatched],
  returning: [fulfilOrderSignals.dispatched],
  delivered: [fulfilOrderSignals.delivered],
  lost: [fulfilOrderSignals.lost],
  returned: [fulfilOrderSignals.returned],
  // It leaves no more: by its time limit, or by an undo that the run before has begun.
  recalled: [fulfilOrderSignals.overdue],
};

/** The statuses in which an order waits for its saga. */
const WAITS: ReadonlySet<string> = new Set(["placed", "reserved", "paid", "shipped"]);

/**
 * What becomes of a saga that is gone: while its order has not come to its end it starts anew. Every step has the message id it
 * had before, so what was done is not done again; the run goes on where the old one stopped, or undoes what that one had begun
 * to undo. An order that is too old for that is kept as a dead letter, for people to decide.
 */
export function lostOrders(
  troupe: Pick<Troupe, "ref" | "deadLetters" | "partitionOf">,
  now: () => number = Date.now,
): Rule {
  return async ({ workflowId, runId, status, input }) => {
    const { orderId } = input as FulfilOrder;
    const order = await troupe.ref(Order, orderId).get();
    if (order === null || !WAITS.has(order.status)) return { kind: "leave" };
    const placedAt = Date.parse(order.history[0]?.at ?? "");
    if (now() - placedAt > SAFE_MS) {
      await show(
        troupe,
        input as FulfilOrder,
        runId,
        `The run ${workflowId} is ${status}, and the order is ${order.status}`,
      );
      return { kind: "shown" };
    }
    const parcel = await troupe.ref(Delivery, orderId).get();
    // The order as it is now: the customer may have taken a part of it, or changed its address.
    const { lines, total, address } = order;
    return {
      kind: "restart",
      input: { ...(input as FulfilOrder), lines, total, address, resumed: true } satisfies FulfilOrder,
      signals: [
        ...(order.cancelRequested ? [fulfilOrderSignals.cancel] : []),
        ...(parcel === null ? [] : (SAID[parcel.status] ?? [])),
      ],
    };
  };
}

async function show(
  troupe: Pick<Troupe, "deadLetters" | "partitionOf">,
  input: FulfilOrder,
  runId: string,
  detail: string,
): Promise<void> {
  const { orderId } = input;
  const { id, ...start } = fulfilOrderStart(input);
  const at = Date.now();
  const record: OutboxRecord = {
    partition: troupe.partitionOf("order", orderId),
    seq: 0,
    kind: "workflow",
    id: `wfr_lost-${runId}`,
    name: "signalWithStart",
    actor: { type: "order", key: orderId },
    target: id,
    body: JSON.stringify({ start, signal: { name: "resumed", args: [] } }),
    at,
    traceparent: undefined,
  };
  await troupe.deadLetters.record("order", {
    id: `lost:${runId}`,
    reason: "receiver",
    detail: `${detail}: a replay starts it anew. What it did more than a day ago it would do again`,
    target: "temporal",
    attempts: 1,
    record: JSON.stringify(record),
    at,
    type: "fulfilOrder",
    key: `order:${orderId}`,
  });
}
