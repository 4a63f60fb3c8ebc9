import type { WorkflowStart } from "#runtime";
import { TASK_QUEUES } from "#workflows/task-queues.ts";
import { workflowIds } from "#workflows/workflow-ids.ts";

/** The request that has everything a provider holds for an order given back. While one runs, a second changes nothing. */
export function settlePaymentStart(orderId: string): WorkflowStart & { readonly signal: { readonly name: string } } {
  return {
    // With a signal, so that a payment that was settled before is settled again.
    signal: { name: "settle" },
    type: "settlePayment",
    id: workflowIds.settlePayment(orderId),
    taskQueue: TASK_QUEUES.shop,
    args: [orderId],
  };
}
