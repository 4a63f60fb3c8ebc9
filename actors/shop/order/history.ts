import * as v from "valibot";
import { type Apply, type EventMeta } from "#runtime";
import { workflowIds } from "#workflows/workflow-ids.ts";
import { Address } from "../delivery/messages.ts";
import { Charges } from "../money/messages.ts";
import { Decision, OrderLine, type orderEvents, OrderStatus, UndoFailure } from "./messages.ts";

/** An order as its events make it. What is optional came later: orders of before lack it. */
export const OrderState = v.object({
  customerId: v.string(),
  status: OrderStatus,
  reason: v.optional(v.string()),
  lines: v.array(OrderLine),
  total: v.number(),
  currency: v.string(),
  charges: v.optional(Charges),
  address: v.nullable(Address),
  workflowId: v.string(),
  cancelRequestedAt: v.nullable(v.string()),
  returnRequestedAt: v.optional(v.string()),
  decision: v.optional(Decision),
  undoFailures: v.optional(v.array(UndoFailure)),
  history: v.array(v.object({ status: OrderStatus, at: v.string() })),
});
export type OrderState = v.InferOutput<typeof OrderState>;

/** What each event does to the order. Old orders are replayed through it: what an event means never changes. */
export const applyOrderEvent: Apply<OrderState, typeof orderEvents> = {
  "order.placed.v1": (state, { customerId, lines, total, currency, address, charges }, meta) => {
    Object.assign(state, {
      customerId,
      lines,
      total,
      currency,
      address,
      workflowId: workflowIds.fulfilOrder(meta.key),
      ...(charges === undefined ? {} : { charges }),
    });
    enter(state, "placed", meta);
  },
  "order.reserved.v1": (state, _, meta) => enter(state, "reserved", meta),
  "order.paid.v1": (state, _, meta) => enter(state, "paid", meta),
  "order.shipped.v1": (state, _, meta) => enter(state, "shipped", meta),
  "order.delivered.v1": (state, _, meta) => enter(state, "delivered", meta),
  "order.cancelled.v1": (state, { reason }, meta) => end(state, "cancelled", reason, meta),
  "order.rejected.v1": (state, { reason }, meta) => end(state, "rejected", reason, meta),
  "order.returned.v1": (state, { reason }, meta) => end(state, "returned", reason, meta),
  "order.needs-attention.v1": (state, { undoFailures }, meta) => {
    state.undoFailures = undoFailures;
    if (state.status !== "needs_attention") enter(state, "needs_attention", meta);
  },
  "order.cancel-requested.v1": (state, _, meta) => {
    state.cancelRequestedAt = timeOf(meta);
  },
  "order.return-requested.v1": (state, _, meta) => {
    state.returnRequestedAt = timeOf(meta);
  },
  "order.decision-asked.v1": (state, { lines, until }) => {
    state.decision = { lines, until, choice: null };
  },
  "order.decided.v1": (state, { choice }) => {
    if (state.decision !== undefined) state.decision.choice = choice;
  },
  "order.lines-changed.v1": (state, { lines, total, charges }) => {
    Object.assign(state, { lines, total, ...(charges === undefined ? {} : { charges }) });
  },
  "order.address-changed.v1": (state, { address }) => {
    state.address = address;
  },
};

function enter(state: OrderState, status: OrderStatus, meta: EventMeta): void {
  state.status = status;
  state.history.push({ status, at: timeOf(meta) });
}

/** Enters an end; what could not be undone at first is done by then. */
function end(state: OrderState, status: OrderStatus, reason: string | undefined, meta: EventMeta): void {
  if (reason !== undefined) state.reason = reason;
  delete state.undoFailures;
  enter(state, status, meta);
}

function timeOf({ at }: EventMeta): string {
  return new Date(at).toISOString();
}
