import type { WorkflowStart } from "#runtime";
import { TASK_QUEUES } from "#workflows/task-queues.ts";
import { workflowIds } from "#workflows/workflow-ids.ts";

/** What `deliverWebhook` is started with. */
export interface DeliverWebhook {
  /** Of this run: `dlv_…`. */
  readonly deliveryId: string;
  /** What the receiver knows the webhook by: the same in every try, also when a dead letter of it is replayed. */
  readonly webhookId: string;
  readonly endpointId: string;
  /** A CloudEvent: the body of the webhook. Data with numbers that JSON.parse would change stands in `data_json`, as its text. */
  readonly event: Readonly<Record<string, unknown>> & { readonly id: string; readonly type: string };
  /** The pauses between tries, in milliseconds. One more try than pauses. */
  readonly retriesMs: readonly number[];
}

/** How a delivery ended. */
export interface DeliverWebhookResult {
  readonly status: "delivered" | "given_up";
  readonly attempts: number;
  readonly detail?: string;
}

/** The request that starts a delivery. Its id makes it start once. */
export function deliverWebhookStart(input: DeliverWebhook): WorkflowStart {
  return {
    type: "deliverWebhook",
    id: workflowIds.deliverWebhook(input.deliveryId),
    taskQueue: TASK_QUEUES.gateway,
    args: [input],
    memo: { endpoint: input.endpointId, event: input.event.id },
  };
}
