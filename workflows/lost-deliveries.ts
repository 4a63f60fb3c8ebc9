import { type Troupe } from "#runtime";
import { deliverWebhookActivities } from "./deliver-webhook/activities.ts";
import type { DeliverWebhook } from "./deliver-webhook/messages.ts";
import type { Rule } from "./lost-runs.ts";

/**
 * What becomes of a delivery that is gone: it starts anew, under the `webhook-id` that its receiver knows it by. One that somebody
 * cancelled is kept as a dead letter, which is what they asked for: its replay delivers it.
 */
export function lostDeliveries(troupe: Pick<Troupe, "ref" | "deadLetters" | "partitionOf">): Rule {
  const { giveUp } = deliverWebhookActivities({ troupe });
  return async ({ status, input }) => {
    if (status !== "CANCELLED") return { kind: "restart" };
    await giveUp(input as DeliverWebhook, 0, "The delivery was cancelled");
    return { kind: "shown" };
  };
}
