import type { Otel } from "#infra/otel/otel.ts";
import type { SecretBox } from "#infra/secrets/secret-box.ts";
import type { Temporal } from "#infra/temporal/connection.ts";
import { durationMs, type Log, type Troupe } from "#runtime";
import { workflowClient } from "#workflows/client.ts";
import { deliverWebhookActivities } from "#workflows/deliver-webhook/activities.ts";
import { WORKFLOW_ENTRIES } from "#workflows/entries.ts";
import { fulfilOrderUpdates } from "#workflows/fulfil-order/messages.ts";
import { lostDeliveries } from "#workflows/lost-deliveries.ts";
import { lostOrders } from "#workflows/lost-orders.ts";
import { sweepLostRuns } from "#workflows/lost-runs.ts";
import { shopActivities } from "#workflows/shop-activities.ts";
import { TASK_QUEUES } from "#workflows/task-queues.ts";
import { type QueueOptions, startWorkers, type Workers } from "#workflows/worker.ts";
import { workflowIds } from "#workflows/workflow-ids.ts";
import { openPaymentProvider } from "./payment-provider.ts";
import type { Settings } from "./settings.ts";

/** What {@link startShopWorkers} is given. */
export interface AppWorkers {
  readonly troupe: Troupe;
  readonly temporal: Temporal;
  readonly log: Log;
  readonly tracing: Otel | undefined;
  readonly settings: Pick<Settings, "PAYMENT_PROVIDER" | "DECIDE_WITHIN">;
  /** Opens the secrets that sign webhooks. */
  readonly secrets: SecretBox;
  /** Which addresses webhooks may go to: `undefined` for public ones. */
  readonly allows: ((address: string) => boolean) | undefined;
}

/** Starts the workers of every task queue this process serves, and the sweep for runs that are gone. They wait for Temporal by themselves. */
export function startShopWorkers({ troupe, temporal, log, tracing, allows, secrets, settings }: AppWorkers): Workers {
  const workflows = workflowClient(temporal);
  const shop: QueueOptions = {
    taskQueue: temporal.prefix + TASK_QUEUES.shop,
    workflowsPath: WORKFLOW_ENTRIES.shop,
    activities: shopActivities({
      troupe,
      provider: openPaymentProvider(settings.PAYMENT_PROVIDER, troupe, log),
      decideWithinMs: durationMs(settings.DECIDE_WITHIN),
      acceptPart: async (orderId) =>
        void (await workflows.update(workflowIds.fulfilOrder(orderId), fulfilOrderUpdates.decide, {
          choice: "accept",
        })),
    }),
  };
  const gateway: QueueOptions = {
    taskQueue: temporal.prefix + TASK_QUEUES.gateway,
    workflowsPath: WORKFLOW_ENTRIES.gateway,
    activities: deliverWebhookActivities({ troupe, allows, secrets }),
  };
  const workers = startWorkers({
    address: temporal.address,
    namespace: temporal.namespace,
    security: temporal.security,
    codec: temporal.codec,
    queues: [shop, gateway],
    log,
    tracing,
    eager: temporal.eager,
  });
  const rules = { fulfilOrder: lostOrders(troupe), deliverWebhook: lostDeliveries(troupe) };
  const sweep = sweepLostRuns({ temporal, rules, log });
  return {
    ...workers,
    async stop() {
      await Promise.all([sweep.stop(), workers.stop()]);
    },
  };
}
