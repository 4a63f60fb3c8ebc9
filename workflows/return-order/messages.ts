import * as v from "valibot";
import { OrderId, OrderLine } from "#actors/shop/order/messages.ts";
import type { WorkflowStart } from "#runtime";
import { searchAttributes } from "#workflows/fulfil-order/messages.ts";
import { TASK_QUEUES } from "#workflows/task-queues.ts";
import { workflowIds } from "#workflows/workflow-ids.ts";

/** What `returnOrder` is started with: the order as it was delivered. */
export const ReturnOrder = v.object({ orderId: OrderId, lines: v.array(OrderLine), reason: v.string() });
export type ReturnOrder = v.InferOutput<typeof ReturnOrder>;

/** The request that starts the return of an order. Its id makes it start once. */
export function returnOrderStart(input: ReturnOrder): WorkflowStart {
  return {
    type: "returnOrder",
    id: workflowIds.returnOrder(input.orderId),
    taskQueue: TASK_QUEUES.shop,
    args: [input],
    searchAttributes: { [searchAttributes.orderId]: input.orderId, [searchAttributes.orderStatus]: "delivered" },
  };
}
