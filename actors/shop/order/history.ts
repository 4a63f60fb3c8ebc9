import * as v from "valibot";
import { Address } from "#actors/shop/delivery/messages.ts";
import type { Apply, EventMeta } from "#runtime";
import { workflowIds } from "#workflows/workflow-ids.ts";
import { OrderLine, type orderEvents, OrderStatus } from "./messages.ts";

/** An order as its events make it. */
export const OrderState = v.object({
  customerId: v.string(),
  status: OrderStatus,
  reason: v.optional(v.string()),
  lines: v.array(OrderLine),
  total: v.number(),
  currency: v.string(),
  address: v.nullable(Address),
  workflowId: v.string(),
  cancelRequestedAt: v.nullable(v.string()),
  history: v.array(v.object({ status: OrderStatus, at: v.string() })),
});
export type OrderState = v.InferOutput<typeof OrderState>;

/** What each event does to the order. Old orders are replayed through it: what an event means never changes. */
export const applyOrderEvent: Apply<OrderState, typeof orderEvents> = {
  "order.placed.v1": (state, { customerId, lines, total, currency, address }, meta) => {
    Object.assign(state, {
      customerId,
      lines,
      total,
      currency,
      address,
      workflowId: workflowIds.fulfilOrder(meta.key),
    });
    enter(state, "placed", meta);
  },
  "order.reserved.v1": (state, _, meta) => enter(state, "reserved", meta),
  "order.paid.v1": (state, _, meta) => enter(state, "paid", meta),
  "order.shipped.v1": (state, _, meta) => enter(state, "shipped", meta),
  "order.delivered.v1": (state, _, meta) => enter(state, "delivered", meta),
  "order.cancelled.v1": (state, _, meta) => enter(state, "cancelled", meta),
  "order.rejected.v1": (state, { reason }, meta) => {
    state.reason = reason;
    enter(state, "rejected", meta);
  },
  "order.cancel-requested.v1": (state, _, meta) => {
    state.cancelRequestedAt = timeOf(meta);
  },
};

function enter(state: OrderState, status: OrderStatus, meta: EventMeta): void {
  state.status = status;
  state.history.push({ status, at: timeOf(meta) });
}

function timeOf({ at }: EventMeta): string {
  return new Date(at).toISOString();
}
