import { log, proxyActivities, proxyLocalActivities, sleep } from "@temporalio/workflow";
import type { DeliveryTurn } from "#actors/gateway/endpoint/messages.ts";
import type { DeliverWebhookActivities } from "./activities.ts";
import type { DeliverWebhook, DeliverWebhookResult } from "./messages.ts";

const retry = { initialInterval: "500ms", backoffCoefficient: 2, maximumInterval: "1m" } as const;

// What only asks an actor runs beside the workflow; what speaks with a receiver takes its time, on the task queue.
const { askEndpoint, giveUp } = proxyLocalActivities<DeliverWebhookActivities>({
  startToCloseTimeout: "10s",
  localRetryThreshold: "2s",
  retry,
});
const { tryDelivery } = proxyActivities<DeliverWebhookActivities>({ startToCloseTimeout: "40s", retry });

/**
 * Delivers one event to one endpoint: tries, with the pauses it was started with, until the receiver answers 2xx. A
 * receiver may ask for a longer pause (`Retry-After`). What cannot be delivered ends as a dead letter, which is a result
 * and no failure.
 *
 * Before each try the endpoint is asked: its rate or its open circuit make the delivery wait, which is no try.
 */
export async function deliverWebhook(delivery: DeliverWebhook): Promise<DeliverWebhookResult> {
  let attempts = 0;
  for (let reserved = false; ;) {
    const turn: DeliveryTurn = await askEndpoint(delivery.endpointId, delivery.event.type, reserved);
    if (turn.kind === "wait") {
      reserved = turn.reserved;
      await sleep(Math.max(1, turn.ms));
      continue;
    }
    if (turn.kind === "stop") {
      if (turn.because === "filtered")
        return { status: "given_up", attempts, detail: "The endpoint does not take this type" };
      return await end(delivery, attempts, `The endpoint is ${turn.because}`);
    }
    reserved = false;
    attempts++;
    const result = await tryDelivery(delivery, attempts);
    if (result.kind === "delivered") return { status: "delivered", attempts };
    const pauseMs = delivery.retriesMs[attempts - 1];
    if (result.final || pauseMs === undefined) return await end(delivery, attempts, result.detail);
    await sleep(Math.max(1, pauseMs, result.retryAfterMs));
  }
}

async function end(delivery: DeliverWebhook, attempts: number, detail: string): Promise<DeliverWebhookResult> {
  await giveUp(delivery, attempts, detail);
  log.info("webhook:given-up", { deliveryId: delivery.deliveryId, endpoint: delivery.endpointId, attempts });
  return { status: "given_up", attempts, detail };
}
