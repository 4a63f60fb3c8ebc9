import * as v from "valibot";
import { Address } from "#actors/shop/delivery/messages.ts";
import { Currency } from "#actors/shop/money/messages.ts";
import { OrderId, OrderLine, type OrderStatus } from "#actors/shop/order/messages.ts";
import { PaymentToken } from "#actors/shop/payment/messages.ts";
import type { WorkflowStart } from "#runtime";
import { TASK_QUEUES } from "#workflows/task-queues.ts";
import { workflowIds } from "#workflows/workflow-ids.ts";
import { searchAttributes } from "./names.ts";

export { fulfilOrderSignals, fulfilOrderUpdates, searchAttributes } from "./names.ts";

/** What `fulfilOrder` is started with: the order as placed. */
export const FulfilOrder = v.object({
  orderId: OrderId,
  lines: v.array(OrderLine),
  total: v.pipe(v.number(), v.integer(), v.minValue(0)),
  currency: Currency,
  paymentToken: PaymentToken,
  address: v.nullable(Address),
  /** Whom it is for: the delivery's events say so. */
  customerId: v.optional(v.string()),
  /** A run before this one is gone, and has done some of the steps. */
  resumed: v.optional(v.boolean()),
  /** Which edition of the saga: absent in runs that began before there was a third. */
  edition: v.optional(v.literal(3), 3),
});
export type FulfilOrder = v.InferInput<typeof FulfilOrder>;

/** How `fulfilOrder` ended. A turned-down order is a result, not a failure: the saga did its work. */
export interface FulfilOrderResult {
  readonly orderId: string;
  readonly status: OrderStatus;
  readonly reason?: string;
  /** Undo steps that were refused for good, by name. Absent when all went through. */
  readonly undoFailures?: readonly string[];
}

/**
 * The request that starts the saga of an order. Its id makes it start once. `OrderStatus` comes where it says more than that the
 * order is on its way, or was delivered.
 */
export function fulfilOrderStart(input: FulfilOrder): WorkflowStart {
  return {
    type: "fulfilOrder",
    id: workflowIds.fulfilOrder(input.orderId),
    taskQueue: TASK_QUEUES.shop,
    args: [input],
    searchAttributes: {
      [searchAttributes.orderId]: input.orderId,
      ...(input.customerId === undefined ? {} : { [searchAttributes.customerId]: input.customerId }),
    },
  };
}
