import type { ScalerActor } from "#actors/orchestrator/scaler/scaler.ts";
import { sandboxProvider } from "#actors/shop/payment/sandbox.ts";
import type { Engine } from "#infra/docker/engine.ts";
import type { SecretBox } from "#infra/secrets/secret-box.ts";
import type { Temporal } from "#infra/temporal/connection.ts";
import type { Log, Troupe } from "#runtime";
import { deliverWebhookActivities } from "#workflows/deliver-webhook/activities.ts";
import { fulfilOrderActivities } from "#workflows/fulfil-order/activities.ts";
import { createReconcileActivities } from "#workflows/reconcile-service/activities.ts";
import { TASK_QUEUES } from "#workflows/task-queues.ts";
import { type QueueOptions, startWorkers, type Workers } from "#workflows/worker.ts";

/** What {@link startShopWorkers} is given. */
export interface AppWorkers {
  readonly troupe: Troupe;
  readonly engine: Engine;
  readonly scaler: ScalerActor;
  readonly temporal: Temporal;
  readonly log: Log;
  /** Whether the reconcile loops run here, too. */
  readonly scaling: boolean;
  /** Told of each round of a reconcile loop, in seconds. */
  readonly reconciled?: (seconds: number) => void;
  /** Opens the secrets that sign webhooks. */
  readonly secrets: SecretBox;
  /** Which addresses webhooks may go to: `undefined` for public ones. */
  readonly allows: ((address: string) => boolean) | undefined;
}

/** Starts the workers of every task queue this process serves. They wait for Temporal by themselves. */
export function startShopWorkers({
  troupe,
  engine,
  scaler,
  temporal,
  log,
  scaling,
  reconciled,
  allows,
  secrets,
}: AppWorkers): Workers {
  const shop: QueueOptions = {
    taskQueue: temporal.prefix + TASK_QUEUES.shop,
    workflowsPath: pathOf("shop.ts"),
    activities: fulfilOrderActivities({ troupe, provider: sandboxProvider }),
  };
  const gateway: QueueOptions = {
    taskQueue: temporal.prefix + TASK_QUEUES.gateway,
    workflowsPath: pathOf("deliver-webhook/workflow.ts"),
    activities: deliverWebhookActivities({ troupe, allows, secrets }),
  };
  const orchestrator: QueueOptions = {
    taskQueue: temporal.prefix + TASK_QUEUES.orchestrator,
    workflowsPath: pathOf("reconcile-service/workflow.ts"),
    activities: createReconcileActivities({ troupe, engine, scaler, ...(reconciled && { reconciled }) }),
  };
  return startWorkers({
    address: temporal.address,
    namespace: temporal.namespace,
    security: temporal.security,
    codec: temporal.codec,
    queues: scaling ? [shop, gateway, orchestrator] : [shop, gateway],
    log,
  });
}

function pathOf(file: string): string {
  return Bun.fileURLToPath(import.meta.resolve(`#workflows/${file}`));
}
